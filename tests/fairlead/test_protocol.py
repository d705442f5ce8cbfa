"""A request's wire: one packet for what is ready, chunks for streams, and word of who left."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from fairlead.protocol import HttpProtocol, HttpWire
from gateway.wire import WIRE
from tests.fairlead import wire as packets

HEAD = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n"
REQUEST = HEAD + b"\r\n"
Answer = Callable[[HttpWire], Awaitable[None]]


async def other(scope: Scope, receive: Receive, send: Send) -> None:
    """The rest of the application."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def flowing(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer whose length nobody knows."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-one", b"1")]})
    for number in (b"1", b"2"):
        await send({"type": "http.response.body", "body": number, "more_body": True})
    await send({"type": "http.response.body", "body": b"3"})


async def measured(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"Content-Length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"12"})


def connected(answer: Answer, rest: ASGIApp = other) -> tuple[HttpProtocol, packets.Wire]:
    """A connection whose requests for /v1 are answered by `answer`, all others by `rest`."""

    async def plane(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope["extensions"].pop(WIRE))

    config = uvicorn.Config(rest, lifespan="off", access_log=False, log_config=None)
    config.load()
    protocol = HttpProtocol(config=config, server_state=ServerState(), app_state={}, plane=plane)
    transport = packets.Wire()
    protocol.connection_made(transport)
    return protocol, transport


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def told(wire: HttpWire) -> None:
    wire.whole(200, [(b"x-one", b"1")], b'{"a":1}')


async def test_an_answer_that_is_ready_is_one_packet_and_the_next_may_follow() -> None:
    protocol, transport = connected(told)
    for _ in range(2):
        protocol.data_received(REQUEST)
        await turns()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\nx-one: 1"
    assert transport.packets == [head + b'\r\n\r\n{"a":1}'] * 2
    assert not transport.closed


async def test_a_connection_is_closed_for_who_asked_for_it() -> None:
    protocol, transport = connected(told)
    protocol.data_received(HEAD + b"connection: close\r\n\r\n")
    await turns()
    assert b"\r\nconnection: close\r\n" in transport.packets[0]
    assert transport.closed


async def test_a_stream_is_chunks_of_which_the_first_comes_with_the_head() -> None:
    async def stream(wire: HttpWire) -> None:
        await wire.begin([], b"one")
        await wire.send(b"")
        await wire.send(b"three")
        await wire.end(b"end")

    protocol, transport = connected(stream)
    protocol.data_received(REQUEST)
    await turns()
    head, _, body = b"".join(transport.packets).partition(b"\r\n\r\n")
    assert b"content-type: text/event-stream" in head
    assert b"transfer-encoding: chunked" in head
    assert body == b"3\r\none\r\n5\r\nthree\r\n3\r\nend\r\n0\r\n\r\n"
    assert transport.packets[0].endswith(b"3\r\none\r\n")
    assert not transport.closed


OLD = b"POST /v1/x HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n"


async def test_a_stream_for_http_1_0_has_no_chunks_and_ends_with_its_connection() -> None:
    async def stream(wire: HttpWire) -> None:
        await wire.begin([], b"one")
        await wire.send(b"three")
        await wire.end(b"end")

    protocol, transport = connected(stream)
    protocol.data_received(OLD)
    await turns()
    head, _, body = b"".join(transport.packets).partition(b"\r\n\r\n")
    assert (b"transfer-encoding" in head, b"connection: close" in head) == (False, True)
    assert (body, transport.closed) == (b"onethreeend", True)


@pytest.mark.parametrize(("app", "sent"), [(flowing, b"123"), (measured, b"12")])
async def test_so_is_every_other_answer_whose_length_nobody_knows(
    app: ASGIApp, sent: bytes
) -> None:
    protocol, transport = connected(told, app)
    protocol.data_received(OLD.replace(b"/v1/", b"/"))
    await turns()
    head, _, body = b"".join(transport.packets).partition(b"\r\n\r\n")
    assert (body, transport.closed) == (sent, True)
    assert b"transfer-encoding" not in head
    assert (b"content-length: 2" in head) is (app is measured)


async def test_a_stream_that_is_not_ended_breaks_off() -> None:
    async def stream(wire: HttpWire) -> None:
        await wire.begin([], b"one")

    protocol, transport = connected(stream)
    protocol.data_received(REQUEST)
    await turns()
    assert transport.closed
    assert not b"".join(transport.packets).endswith(b"0\r\n\r\n")


async def test_garbage_behind_a_request_is_not_answered_within_its_stream() -> None:
    async def stream(wire: HttpWire) -> None:
        await wire.begin([], b"one")
        await asyncio.Event().wait()

    protocol, transport = connected(stream)
    protocol.data_received(REQUEST)
    await turns()
    protocol.data_received(b"GARBAGE\r\n\r\n")
    assert transport.closed
    assert b" 400 " not in b"".join(transport.packets)


@pytest.mark.parametrize("value", [b"a\r\nx-two: 2", b"a\n", b"\0"])
async def test_a_value_never_becomes_another_header(value: bytes) -> None:
    async def answer(wire: HttpWire) -> None:
        wire.whole(200, [(b"x-one", value)], b"{}")

    protocol, transport = connected(answer)
    protocol.data_received(REQUEST)
    await turns()
    assert value not in b"".join(transport.packets)


async def test_who_leaves_is_told_of_once_and_sent_nothing() -> None:
    wires: list[HttpWire] = []
    left: list[str] = []
    ends = asyncio.Event()

    async def answer(wire: HttpWire) -> None:
        wires.append(wire)
        wire.told = lambda: left.append("left")
        await ends.wait()
        wire.whole(200, [], b"late")

    protocol, transport = connected(answer)
    protocol.data_received(REQUEST)
    await turns()
    protocol.connection_lost(None)
    ends.set()
    await turns()
    assert (left, wires[0].left, transport.packets) == (["left"], True, [])


async def test_who_leaves_with_an_answer_has_not_left_it() -> None:
    left: list[str] = []

    async def answer(wire: HttpWire) -> None:
        wire.told = lambda: left.append("left")
        wire.whole(200, [], b"{}")

    protocol, _ = connected(answer)
    protocol.data_received(REQUEST)
    await turns()
    protocol.connection_lost(None)
    assert left == []


async def test_of_requests_behind_each_other_the_one_at_work_is_told() -> None:
    left: list[str] = []

    async def answer(wire: HttpWire) -> None:
        wire.told = lambda: left.append("first")
        await asyncio.Event().wait()

    protocol, _ = connected(answer)
    protocol.data_received(REQUEST * 3)
    await turns()
    protocol.connection_lost(None)
    assert left == ["first"]


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST.replace(b"/v1/x", b"/v2/x"),
        REQUEST.replace(b"/v1/x", b"/v1"),
        HEAD + b"X-Forwarded-For: 198.51.100.7\r\n\r\n",
    ],
)
async def test_all_else_and_what_a_proxy_sends_goes_through_the_application(
    request_: bytes,
) -> None:
    protocol, transport = connected(told)
    protocol.data_received(request_)
    await turns()
    assert transport.packets[0].startswith(b"HTTP/1.1 204")
