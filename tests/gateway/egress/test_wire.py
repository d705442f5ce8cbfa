"""Framing, byte by byte: what is no whole and valid HTTP answer never looks like one."""

import asyncio

import pytest

from gateway.egress.client import Outbound
from gateway.egress.errors import (
    ConnectionLost,
    EgressError,
    MalformedResponse,
    ResponseTooLarge,
)
from gateway.egress.limits import Limits
from tests.gateway.egress.conftest import Upstreams
from tests.gateway.egress.scripted import (
    CHUNKED,
    HANG_UP,
    OK,
    RESET,
    WHOLE,
    answer,
    ask,
    collect,
)


@pytest.mark.parametrize(
    ("script", "body"),
    [
        ([WHOLE], b"hi"),
        ([bytes([byte]) for byte in WHOLE], b"hi"),
        ([CHUNKED + b"2\r\nhi\r\n3;x=y\r\n ho\r\n0\r\n\r\n"], b"hi ho"),
        ([CHUNKED, b"2\r\nh", b"i\r\n0\r", b"\n\r\n"], b"hi"),
        ([CHUNKED + b"2\r\nhi\r\n0\r\nx-trailer: 1\r\n\r\n"], b"hi"),
        ([OK + b"\r\nhi", b" ho", HANG_UP], b"hi ho"),
        ([b"HTTP/1.0 200 OK\r\n\r\nhi", HANG_UP], b"hi"),
        ([b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi"], b"hi"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
        ([OK + b"content-length: 0\r\n\r\n"], b""),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE], b"hi"),
        ([b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", WHOLE], b"hi"),
        ([WHOLE + b"HTTP/1.1 200 OK\r\n"], b"hi"),
    ],
)
async def test_a_whole_answer_is_read_however_it_is_framed(
    upstreams: Upstreams, script: list[bytes], body: bytes
) -> None:
    assert await answer(*await upstreams.start(script)) == body


@pytest.mark.parametrize(
    "script",
    [
        [OK + b"content-length: 3\r\n\r\nhi", HANG_UP],
        [CHUNKED, HANG_UP],
        [CHUNKED + b"2\r\nhi\r\n", HANG_UP],
        [CHUNKED + b"5\r\nhi", HANG_UP],
        [CHUNKED + b"2\r\nhi\r\n0\r\n", HANG_UP],
        [CHUNKED + b"2\r\nhi\r\n0", HANG_UP],
        [CHUNKED + b"2\r\nhi\r\n", RESET],
        [OK + b"\r\nhi", RESET],
    ],
)
async def test_a_cut_body_is_lost_and_what_came_before_is_delivered(
    upstreams: Upstreams, script: list[bytes]
) -> None:
    inbound = await ask(*await upstreams.start(script))
    got = bytearray()
    with pytest.raises(ConnectionLost) as lost:
        await collect(inbound, got)
    assert not lost.value.before_headers
    assert bytes(got) == (b"hi" if b"hi" in script[0] else b"")


@pytest.mark.parametrize(
    "script",
    [
        [HANG_UP],
        [b"HTTP/1.1 20", HANG_UP],
        [OK, HANG_UP],
        [OK + b"content-length: 2\r\n", HANG_UP],
        [b"HTTP/1.1 100 Continue\r\n\r\n", HANG_UP],
    ],
)
async def test_a_connection_cut_in_the_head_is_lost_before_headers(
    upstreams: Upstreams, script: list[bytes]
) -> None:
    http, server = await upstreams.start(script)
    with pytest.raises(ConnectionLost) as lost:
        await ask(http, server)
    assert (lost.value.before_headers, server.connections) == (True, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi",
        OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"content-length: -1\r\n\r\n",
        OK + b"content-length: 1x\r\n\r\n",
        OK + b"content-length: 99999999999999999999\r\n\r\n",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"transfer-encoding: identity\r\n\r\nhi",
        OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\nhi",
        OK + b"content-encoding: br\r\ncontent-length: 2\r\n\r\nhi",
        OK + b"a header without a colon\r\n\r\n",
        OK + b"x: a\r\n folded\r\ncontent-length: 2\r\nbad name: x\r\n\r\nhi",
        OK + b"x: \x00\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_what_is_no_http_answer_is_malformed(upstreams: Upstreams, data: bytes) -> None:
    http, server = await upstreams.start([data])
    with pytest.raises(MalformedResponse):
        await ask(http, server)
    await asyncio.wait_for(server.gone.wait(), 5)
    assert http.connections == 0


@pytest.mark.parametrize("chunk", [b"zz\r\nhi\r\n", b"-1\r\nhi\r\n", b"2\r\nhi\n\n", b"2\r\nhiX"])
async def test_a_body_that_is_no_chunks_is_malformed(upstreams: Upstreams, chunk: bytes) -> None:
    inbound = await ask(*await upstreams.start([CHUNKED, chunk]))
    with pytest.raises(MalformedResponse):
        await inbound.read(100)


@pytest.mark.parametrize(
    "script",
    [
        [OK + b"x: " + b"a" * 70_000],
        [OK, *([b"x: " + b"a" * 1000 + b"\r\n"] * 100)],
        [OK + b"x: y\r\n" * 200 + b"content-length: 0\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n"] * 200,
        [b"HTTP/1.1 200 " + b"O" * 70_000],
    ],
)
async def test_a_head_without_measure_is_refused(upstreams: Upstreams, script: list[bytes]) -> None:
    http, server = await upstreams.start(script)
    with pytest.raises(ResponseTooLarge):
        await asyncio.wait_for(ask(http, server), 20)
    await asyncio.wait_for(server.gone.wait(), 5)
    assert http.connections == 0


async def test_a_body_without_measure_is_refused(upstreams: Upstreams) -> None:
    endless = [CHUNKED, *([b"400\r\n" + b"a" * 1024 + b"\r\n"] * 100)]
    http, server = await upstreams.start(endless, limits=Limits(response=50_000))
    inbound = await ask(http, server)
    with pytest.raises(ResponseTooLarge):
        await inbound.read(10_000_000)
    await asyncio.wait_for(server.gone.wait(), 5)
    assert http.connections == 0


async def test_a_large_request_is_sent_whole(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([WHOLE])
    body = b"a" * 3_000_000
    assert await (await ask(http, server, body)).read(10) == b"hi"
    assert server.requests[0].endswith(b"\r\n\r\n" + body)


async def test_the_request_is_framed_exactly(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([WHOLE])
    await http.send(
        Outbound(
            "POST",
            server.url + "/chat?x=1",
            [("Authorization", "Bearer k")],
            b'{"a":1}',
            private_allowed=True,
        )
    )
    assert server.requests == [
        b"POST /v1/chat?x=1 HTTP/1.1\r\nhost: " + server.host_port.encode() + b"\r\n"
        b"accept-encoding: identity\r\nAuthorization: Bearer k\r\ncontent-length: 7\r\n\r\n"
        b'{"a":1}'
    ]


async def test_an_aborted_answer_raises_for_whoever_still_reads(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([CHUNKED, b"2\r\nhi\r\n"])
    inbound = await ask(http, server)
    chunks = inbound.chunks()
    assert await anext(chunks) == b"hi"
    reader = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    inbound.abort()
    with pytest.raises(EgressError):
        await reader
    await asyncio.wait_for(server.gone.wait(), 5)


async def test_closing_the_client_ends_no_body_cleanly(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([OK + b"\r\nhi"])
    inbound = await ask(http, server)
    await http.close()
    with pytest.raises(ConnectionLost):
        await inbound.read(100)


async def test_a_slow_reader_stops_the_upstream(upstreams: Upstreams) -> None:
    count, piece = 400, b"a" * 65_536
    endless = [CHUNKED, *([b"10000\r\n" + piece + b"\r\n"] * count), b"0\r\n\r\n"]
    http, server = await upstreams.start(endless)
    inbound = await ask(http, server)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(server.done.wait(), 0.5)
    assert len(await inbound.read(count * len(piece))) == count * len(piece)
    assert server.done.is_set()


async def test_a_header_that_comes_twice_is_joined(upstreams: Upstreams) -> None:
    http, server = await upstreams.start([OK + b"X: a\r\nx: b\r\ncontent-length: 0\r\n\r\n"])
    assert (await ask(http, server)).headers["x"] == "a, b"
