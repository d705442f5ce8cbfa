"""Whoever sends nothing, a drop at a time or far too much, or reads nothing, is cut off."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from fairlead.connections import MOST_BYTES, MOST_HEADERS, Waits, WatchedHttp, WatchedWebSocket
from fairlead.connections import watch as watch_connections

HOST = b"host: x\r\n"
HEAD = b"GET / HTTP/1.1\r\n" + HOST
ANSWER = 40_000_000
"""Bytes: more than both sides' buffers hold."""
PATIENT = 20.0
"""Seconds; nothing here takes as long."""


@dataclass
class Served:
    port: int
    server: uvicorn.Server

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    async def open(self, *, reads: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """`reads`: the size of the client's receive buffer, 0 for the system's."""
        client = socket.socket()
        if reads:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, reads)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=client, limit=max(1024, reads))

    async def gone(self) -> None:
        """Returns when the last connection is."""
        for _ in range(int(PATIENT / 0.02)):
            if not self.connections:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.connections)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/large` answers a lot, `/body` when its body has come whole, all else at once."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    body = bytes(ANSWER if scope["path"] == "/large" else 2)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    for at in range(0, len(body), 65536):
        more = at + 65536 < len(body)
        await send({"type": "http.response.body", "body": body[at : at + 65536], "more_body": more})


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    config = uvicorn.Config(
        app, http=WatchedHttp, ws=WatchedWebSocket, lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listener]))
    waits = Waits(head=0.3, idle=0.6, unread=0.5, closing=0.3, look=0.05)
    watching = asyncio.create_task(watch_connections(server.server_state.connections, waits))
    yield Served(listener.getsockname()[1], server)
    watching.cancel()
    server.should_exit = server.force_exit = True
    await serving


async def cut(reader: asyncio.StreamReader) -> bytes:
    """What came before the connection was closed."""
    got = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(PATIENT):
            while piece := await reader.read(65536):
                got += piece
    return got


async def dripping(writer: asyncio.StreamWriter, drop: bytes) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)


async def cut_while_dripping(served: Served, first: bytes, drop: bytes) -> bytes:
    reader, writer = await served.open()
    writer.write(first)
    drips = asyncio.create_task(dripping(writer, drop))
    try:
        return await cut(reader)
    finally:
        drips.cancel()
        writer.close()


async def test_a_silent_connection_is_cut(served: Served) -> None:
    reader, writer = await served.open()
    assert await cut(reader) == b""
    writer.close()


async def test_a_connection_may_ask_again_for_a_while(served: Served) -> None:
    reader, writer = await served.open()
    began = asyncio.get_running_loop().time()
    for _ in range(4):
        await asyncio.sleep(0.15)
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"\0\0")).startswith(b"HTTP/1.1 200 OK")
    assert await cut(reader) == b""
    assert asyncio.get_running_loop().time() - began > 1.0
    writer.close()


@pytest.mark.parametrize(
    ("first", "drop"),
    [(b"", b"G"), (HEAD, b"a"), (HEAD + b"x: ", b"a"), (b"", b"\r\n"), (HEAD, b"a: b\r\n")],
)
async def test_a_dripped_head_is_cut(served: Served, first: bytes, drop: bytes) -> None:
    got = await cut_while_dripping(served, first, drop)
    assert b"200 OK" not in got


@pytest.mark.parametrize("drop", [b"\r\n", b"G"])
async def test_a_kept_connection_is_not_held_by_drops(served: Served, drop: bytes) -> None:
    got = await cut_while_dripping(served, HEAD + b"\r\n", drop)
    assert got.count(b"200 OK") == 1


async def test_what_is_left_of_a_body_is_not_waited_for_once_it_is_answered(
    served: Served,
) -> None:
    got = await cut_while_dripping(served, HEAD + b"content-length: 1000000\r\n\r\n", b"a")
    assert got.count(b"200 OK") == 1


@pytest.mark.parametrize(
    ("first", "flood"),
    [
        (HEAD + b"x: ", b"a" * 4096),
        (b"GET /", b"a" * 4096),
        (HEAD, b"a: b\r\n" * 512),
        (b"POST /body HTTP/1.1\r\ntransfer-encoding: chunked\r\n" + HOST + b"\r\n1;", b"a" * 4096),
        (
            b"POST /body HTTP/1.1\r\ntransfer-encoding: chunked\r\n" + HOST + b"\r\n0\r\n",
            b"a: b\r\n" * 512,
        ),
    ],
    ids=["value", "target", "names", "chunk extension", "trailers"],
)
async def test_an_endless_head_is_not_kept_in_memory(
    served: Served, first: bytes, flood: bytes
) -> None:
    reader, writer = await served.open()
    writer.write(first)
    sent = 0
    with suppress(ConnectionError):
        while sent < 40 * MOST_BYTES:
            writer.write(flood)
            await writer.drain()
            sent += len(flood)
            await asyncio.sleep(0)
    got = await cut(reader)
    writer.close()
    assert sent < 40 * MOST_BYTES
    assert b"200 OK" not in got
    await served.gone()


async def test_too_many_headers_are_refused(served: Served) -> None:
    for many, status in ((MOST_HEADERS - 1, b"200"), (MOST_HEADERS + 1, b"400")):
        reader, writer = await served.open()
        writer.write(HEAD + b"a: b\r\n" * (many - 1) + b"connection: close\r\n\r\n")
        assert (await cut(reader)).startswith(b"HTTP/1.1 " + status)
        writer.close()


async def test_who_reads_nothing_of_a_long_answer_is_cut(served: Served) -> None:
    _, writer = await served.open(reads=4096)
    writer.write(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await asyncio.sleep(0.1)
    assert served.connections == 1
    await served.gone()
    writer.close()


async def test_who_reads_slowly_is_not(served: Served) -> None:
    reader, writer = await served.open(reads=4096)
    writer.write(b"GET /large HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    got = 0
    async with asyncio.timeout(PATIENT):
        for pause in [0.1] * 20:
            got += len(await reader.read(1_000_000))
            await asyncio.sleep(pause)
    assert served.connections == 1
    writer.close()
    assert got < ANSWER


async def test_a_request_that_is_worked_on_is_left_alone(served: Served) -> None:
    reader, writer = await served.open()
    writer.write(b"POST /body HTTP/1.1\r\n" + HOST + b"content-length: 20\r\n\r\n")
    for _ in range(20):
        await asyncio.sleep(0.05)
        writer.write(b"a")
    async with asyncio.timeout(PATIENT):
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
    writer.close()


async def test_more_connections_than_files_allow_are_cut_at_once(served: Served) -> None:
    served.server.config.limit_concurrency = 3
    held = [await served.open() for _ in range(3)]
    reader, writer = await served.open()
    assert await cut(reader) == b""
    assert served.connections >= 2
    for _, each in [*held, (reader, writer)]:
        each.close()


async def test_a_quiet_socket_is_left_alone(served: Served) -> None:
    async with connect(f"ws://127.0.0.1:{served.port}/", proxy=None) as client:
        await asyncio.sleep(1)
        await asyncio.wait_for(await client.ping(), PATIENT)


async def test_pings_of_who_reads_no_answers_do_not_fill_our_memory(served: Served) -> None:
    _, writer = await served.open(reads=4096)
    await upgraded(writer, "/", served.port)
    ping, sent = b"\x89\xfd\0\0\0\0" + b"a" * 125, 0
    while served.connections and sent < 200 * ANSWER:
        writer.write(ping * 500)
        sent += 500 * len(ping)
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(0.5):
                await writer.drain()
        for each in list(served.server.server_state.connections):
            assert each.transport.get_write_buffer_size() < 1_000_000
    await served.gone()
    writer.close()


async def upgraded(writer: asyncio.StreamWriter, path: str, port: int) -> None:
    writer.write(
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: upgrade\r\n"
        "upgrade: websocket\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.2)
