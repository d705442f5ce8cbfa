"""What no client of ours would send, by hand and by the byte, to a whole installation.

Forged hosts change nothing that is answered; garbage is refused, and never fails us.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.e2e.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVIL = "evil.example"
PATHS = (
    *("/", "/graphql", "/session", "/session/", "/session/methods", "/livez", "/livez/", "/v1"),
    *("/v1/models", "/v1/models/", "/assets", "/assets/", "//evil.example", "/exports/usage"),
)
HOSTS = (
    f"host: {EVIL}\r\n",
    f"host: {EVIL}:80@{{here}}\r\n",
    "host: user:secret@{here}\r\n",
    f"host: {{here}}\r\nhost: {EVIL}\r\n",
    f"host: {EVIL}\r\nhost: {{here}}\r\n",
    f"host: {{here}}, {EVIL}\r\n",
    f"host: {{here}}/{EVIL}\r\n",
    f"host: {{here}}#{EVIL}\r\n",
    f"host: {{here}}\\{EVIL}\r\n",
    "host:\r\n",
    "host: [::1\r\n",
    "host: {here}:99999\r\n",
    f"host: {{here}}\r\nx-forwarded-host: {EVIL}\r\nx-forwarded-server: {EVIL}\r\n",
    f"host: {{here}}\r\nforwarded: for=1.2.3.4;host={EVIL};proto=https\r\n",
    f"host: {{here}}\r\nx-original-url: /{EVIL}\r\nx-rewrite-url: /{EVIL}\r\n",
)
TARGETS = ("{path}", f"http://{EVIL}{{path}}", f"https://user@{EVIL}:1{{path}}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(installation: Installation) -> AsyncIterator["Wire"]:
    yield Wire(installation)


class Wire:
    """Raw connections to the installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.here = urlsplit(installation.base_url).netloc
        self.port = int(self.here.rpartition(":")[2])

    async def say(self, *parts: bytes, within: float = 1.0) -> bytes:
        """What is answered until it is quiet for `within` seconds, or closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        got = b""
        with suppress(ConnectionError, TimeoutError):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.02)
            async with asyncio.timeout(within):
                while piece := await reader.read(65536):
                    got += piece
        writer.transport.abort()
        return got

    def log(self) -> str:
        return self.installation.output.read_text()


def request(method: str, target: str, hosts: str, more: str = "", body: str = "") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\n{hosts}{more}connection: close\r\n"
    length = f"content-length: {len(body)}\r\n" if body else ""
    return f"{head}{length}\r\n{body}".encode()


async def test_no_answer_repeats_a_forged_host(wire: Wire) -> None:
    requests = [
        request("GET", target.format(path=path), hosts.format(here=wire.here))
        for path in PATHS
        for hosts in HOSTS
        for target in TARGETS
    ]

    async def ask(one: bytes) -> None:
        head, _, body = (await wire.say(one, within=10)).partition(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4")), (one, head)
        assert b"location:" not in head.lower(), (one, head)
        # Our own page for an address that is none may not name it either.
        assert EVIL.encode() not in head, (one, head)
        assert EVIL.encode() not in body or b"/evil" in one.split(b"\r\n")[0], (one, body)

    await gathered(ask, requests)
    assert len(requests) > 600


async def gathered(each: Callable[[Any], Awaitable[None]], every: Iterable[Any]) -> None:
    """`each` with every one, some at a time."""
    some = asyncio.Semaphore(20)

    async def one(given: Any) -> None:
        async with some:
            await each(given)

    await asyncio.gather(*map(one, every))


async def cookie_of(wire: Wire) -> str:
    body = json.dumps({"key": wire.installation.key})
    more = f"origin: http://{wire.here}\r\ncontent-type: application/json\r\n"
    answer = await wire.say(request("POST", "/session", f"host: {wire.here}\r\n", more, body))
    assert b" 200 OK" in answer
    return answer.decode().split("fairlead_session=")[1].split(";")[0]


async def test_a_foreign_page_may_do_nothing_whatever_the_host_says(wire: Wire) -> None:
    """Its Origin is the browser's word; none of these makes it ours."""
    body = json.dumps({"query": "{ viewer { user { id } } }"})
    cookie = await cookie_of(wire)
    more = f"content-type: application/json\r\ncookie: fairlead_session={cookie}\r\n"
    fine = request(
        "POST", "/graphql", f"host: {wire.here}\r\n", f"{more}origin: http://{wire.here}\r\n", body
    )
    assert b" 200 OK" in await wire.say(fine, within=10)
    origins = (f"http://{EVIL}", f"http://{wire.here}.{EVIL}", "null", f"http://{wire.here}@{EVIL}")
    tried = [
        request(method, target.format(path=path), hosts.format(here=wire.here), more + given, body)
        for given in (f"origin: {origin}\r\n" for origin in origins)
        for hosts in HOSTS
        for path, method in (("/graphql", "POST"), ("/session", "DELETE"), ("/v1/models", "GET"))
        for target in TARGETS
        # A browser sends the Host of the page's own address, and to it no cookie of ours.
        if "here" in hosts
    ]

    async def refused(one: bytes) -> None:
        status = (await wire.say(one, within=10)).split(b" ", 2)[1]
        assert status in (b"400", b"403"), (one, status)

    await gathered(refused, tried)
    assert len(tried) > 300


GRAPHQL = b"POST /graphql HTTP/1.1\r\nhost: x\r\n"
CHUNKED = GRAPHQL + b"transfer-encoding: chunked\r\n\r\n"
SESSION = b"POST /session HTTP/1.1\r\nhost: x\r\n"
JSON = SESSION + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
KEY = b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
UPGRADE = b"connection: upgrade\r\nupgrade: websocket\r\n"
GARBAGE: tuple[bytes, ...] = (
    b"\r\n\r\n",
    b"\0" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nhost: x\n\n",
    b"get / http/1.1\r\n\r\n",
    b"NONSENSE / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://evil.example HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET ?x HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /%zz%ff%00/../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /..%2f..%2f..%2fetc/passwd HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /assets/..%5c..%5cencryption.key HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /assets/%2e%2e/%2e%2e/app.py HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /\xff\xfe\xc0\xaf HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nx\0y: z\r\n\r\n",
    b"GET / HTTP/1.1\r\nx: \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\n: nothing\r\n\r\n",
    b"GET / HTTP/1.1\r\nrange: bytes=-1,0-,99999999999999999999-\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nrange: bytes=" + b"0-1," * 5_000 + b"\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nif-modified-since: \xff\r\nif-none-match: " + b'"' * 999 + b"\r\n\r\n",
    GRAPHQL + b"content-length: -1\r\n\r\n",
    GRAPHQL + b"content-length: 99999999999999999999999\r\n\r\n",
    GRAPHQL + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab",
    GRAPHQL + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    GRAPHQL + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    GRAPHQL + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"zz\r\nab\r\n0\r\n\r\n",
    CHUNKED + b"-1\r\n\r\n",
    CHUNKED + b"ffffffffffffffffff\r\n",
    SESSION + b"expect: 200-maybe\r\ncontent-length: 2\r\n\r\n{}",
    JSON % 12 + b'{"key":"\\ud8',
    JSON % 600 + b"[" * 600,
    JSON % 16 + b'{"key":"\\ud800"}',
    b"GET / HTTP/1.1\r\nhost: x\r\ncookie: fairlead_session=" + b"a." * 4_000 + b"\r\n\r\n",
    b"GET /session HTTP/1.1\r\nhost: x\r\ncookie: fairlead_session=\xff.\xff\r\norigin: http://x\r\n\r\n",
    b"GET /session HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET /session HTTP/1.1\r\nhost: x\r\norigin: http://[\r\n\r\n",
    b"GET /exports/usage?link=%00.%ff HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /exports/usage?link=" + b"x." * 9_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /exports/usage?link=%ED%A0%80.x HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /v1/models/%ff%00%ed%a0%80 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\n" + UPGRADE + b"\r\n",
    b"GET /v1 HTTP/1.1\r\nhost: x\r\n"
    + UPGRADE
    + b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nhost: x\r\n"
    + UPGRADE
    + b"sec-websocket-version: 99\r\nsec-websocket-key: nonsense\r\n\r\n",
)


async def test_garbage_in_place_of_http_is_refused_and_never_fails_us(wire: Wire) -> None:
    halves = [(said[: len(said) // 2], said[len(said) // 2 :]) for said in GARBAGE]
    noise = [(os.urandom(64),) for _ in range(200)]
    noise += [(b"GET /" + os.urandom(32) + b" HTTP/1.1\r\n\r\n",) for _ in range(200)]

    async def never_fails(parts: tuple[bytes, ...]) -> None:
        status = (await wire.say(*parts, within=0.5)).split(b"\r\n", 1)[0]
        assert b" 5" not in status[8:10], (parts, status)

    await gathered(never_fails, [*((said,) for said in GARBAGE), *halves, *noise])
    await works(wire)


async def works(wire: Wire) -> None:
    """It still answers, and noted no failure of ours."""
    assert b"ok" in await wire.say(request("GET", "/livez", f"host: {wire.here}\r\n"), within=10)
    assert "Traceback" not in wire.log(), wire.log()[-3_000:]
    assert "Exception in" not in wire.log()


def frame(first: int, payload: bytes, *, masked: bool = True, length: bytes | None = None) -> bytes:
    size = length if length is not None else bytes([len(payload)])
    lead = bytes([first, size[0] | (0x80 if masked else 0)]) + size[1:]
    return lead + (b"\0\0\0\0" if masked else b"") + payload


FRAMES: tuple[tuple[bytes, ...], ...] = (
    (frame(0x81, b"{}", masked=False),),
    (frame(0xC1, b"{}"),),
    (frame(0xA1, b"{}"),),
    (frame(0x91, b"{}"),),
    *((frame(0x80 | opcode, b""),) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    (frame(0x81, b"\xff\xfe"),),
    (frame(0x01, b"\xe2\x82"), frame(0x80, b"\xff")),
    (frame(0x80, b"nothing to go on with"),),
    (frame(0x01, b"{"), frame(0x81, b"}")),
    (frame(0x09, b"a ping in parts"),),
    (frame(0x89, b"", length=b"\x7e\x00\x7e") + b"a" * 126,),
    (frame(0x88, b"\x03"),),
    (frame(0x88, b"\x03\xe8\xff\xff"),),
    (frame(0x88, b"\x00\x00"),),
    (frame(0x88, b"\x03\xec"),),
    (frame(0x88, b"\xff\xff"),),
    (frame(0x81, b"", length=b"\x7f" + b"\xff" * 8),),
    (frame(0x81, b"", length=b"\x7f" + b"\x00" * 8),),
    (frame(0x81, b"", length=b"\x7e\xff\xff"),),
    (frame(0x81, b"", length=b"\x7f\x00\x00\x00\x00\x7f\xff\xff\xff"),),
    (frame(0x01, b"a"), *(frame(0x00, b"a" * 100) for _ in range(900))),
    (frame(0x82, b"\0\1\2"),),
    (frame(0x8A, b"a pong nobody asked for"), frame(0x81, b"null")),
    (b"GET / HTTP/1.1\r\n\r\n",),
    (bytes(500),),
    (b"\xff" * 500,),
)


async def test_garbage_in_place_of_frames_closes_the_socket_and_never_fails_us(wire: Wire) -> None:
    upgrade = (
        f"GET /graphql HTTP/1.1\r\nhost: {wire.here}\r\nconnection: upgrade\r\n"
        "upgrade: websocket\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    ).encode()
    init = json.dumps(
        {
            "type": "connection_init",
            "payload": {"authorization": f"Bearer {wire.installation.key}"},
        }
    ).encode()
    ready = frame(0x81, init, length=b"\x7e" + len(init).to_bytes(2, "big"))
    noise = [(os.urandom(300),) for _ in range(100)]

    async def closes(frames: tuple[bytes, ...]) -> None:
        for begun in ((upgrade,), (upgrade, ready)):
            got = await wire.say(*begun, b"".join(frames), within=0.5)
            assert got.startswith(b"HTTP/1.1 101 "), (frames, got)

    await gathered(closes, [*FRAMES, *noise])
    said = wire.log().replace("Invalid UTF-8 sequence", "")
    assert b"ok" in await wire.say(request("GET", "/livez", f"host: {wire.here}\r\n"), within=10)
    assert "Exception in" not in said
