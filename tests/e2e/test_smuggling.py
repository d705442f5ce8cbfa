"""Where one request ends and the next begins, and whose it is, by the byte on a whole installation.

Each request asks who is calling, so that an answer with another's name would give it away.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from fairlead.connections import MOST_WAITING
from tests.e2e.installation import Installation
from tests.e2e.seeding import add_person
from tests.e2e.test_wire import Wire, works

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPGRADE = (
    "host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
CHUNKED = "transfer-encoding: chunked\r\n"
NOTHING = "0\r\n\r\n"


@dataclass(frozen=True)
class Door:
    """Ada's and Bob's keys at a server, byte by byte."""

    wire: Wire
    ada: str
    bob: str

    def who(self, key: str = "", more: str = "", version: str = "1.1", method: str = "GET") -> str:
        given = f"authorization: Bearer {key}\r\n" if key else ""
        return f"{method} /session HTTP/{version}\r\nhost: x\r\n{given}{more}\r\n"

    async def say(self, *parts: str, within: float = 1.0) -> tuple[list[int], list[str]]:
        """The statuses and the names that are answered."""
        got = await self.wire.say(*(part.encode("latin-1") for part in parts), within=within)
        statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", got)
        return [int(each) for each in statuses], re.findall(r'"name":"(\w+)"', got.decode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(installation: Installation) -> AsyncIterator[Door]:
    ada, bob = [await add_person(installation, name) for name in ("ada", "bob")]
    yield Door(Wire(installation), ada, bob)


async def test_requests_behind_each_other_are_each_their_own(door: Door) -> None:
    whole = door.who(door.ada) + door.who(door.bob) + door.who() + door.who(door.ada)
    assert await door.say(whole) == ([200] * 4, ["ada", "bob", "ada"])
    assert await door.say(*whole, within=2) == ([200] * 4, ["ada", "bob", "ada"])
    assert (await door.say(door.who(door.ada, "connection: close\r\n") + door.who(door.bob)))[
        1
    ] == ["ada"]


AMBIGUOUS = (
    f"content-length: 5\r\n{CHUNKED}",
    f"{CHUNKED}content-length: 5\r\n",
    "content-length: 5\r\ncontent-length: 5\r\n",
    "content-length: 5\r\ncontent-length: 0\r\n",
    "content-length: 5, 5\r\n",
    "content-length: +5\r\n",
    "content-length: 0x5\r\n",
    "content-length: 0 5\r\n",
    "content-length : 5\r\n",
    f"{CHUNKED}{CHUNKED}",
    "transfer-encoding: chunked, identity\r\n",
    "transfer-encoding: xchunked\r\n",
    "transfer-encoding : chunked\r\n",
    "transfer-encoding:\x0bchunked\r\n",
    "x: 1\ntransfer-encoding: chunked\r\n",
    "x: 1\rtransfer-encoding: chunked\r\n",
    "x: 1\r\n folded\r\n",
)


@pytest.mark.parametrize("more", AMBIGUOUS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_a_body_whose_end_can_be_read_in_two_ways_is_refused(
    door: Door, more: str, version: str
) -> None:
    asked = door.who(door.ada, more, version, "POST") + NOTHING + door.who(door.bob)
    statuses, names = await door.say(asked)
    assert (statuses, names) == ([400], [])


@pytest.mark.parametrize(
    "body",
    [
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5  \r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "FFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n",
    ],
)
async def test_chunks_are_as_the_standard_has_them(door: Door, body: str) -> None:
    asked = door.who(door.ada, CHUNKED, method="POST") + body + door.who(door.bob)
    statuses, names = await door.say(asked)
    assert (statuses[-1], names) == (400, [])


@pytest.mark.parametrize("path", ["/session", "/v1/chat/completions"])
async def test_what_follows_the_chunks_is_no_header(door: Door, path: str) -> None:
    """A proxy that looks at headers does not look there."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{CHUNKED}"
    body = "2\r\n{}\r\n0\r\n"
    statuses, _ = await door.say(f"{head}\r\n{body}authorization: Bearer {door.ada}\r\n\r\n")
    assert statuses == [400 if path == "/session" else 401]
    key = f"authorization: Bearer {door.ada}\r\n"
    foreign = "origin: https://evil.example\r\nauthorization: Bearer x\r\n"
    plain = await door.say(f"{head}{key}\r\n{body}\r\n")
    assert await door.say(f"{head}{key}\r\n{body}{foreign}\r\n") == plain


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nowhere", "/graphql"])
async def test_who_is_refused_before_the_body_goes_on_with_another_connection(
    door: Door, path: str
) -> None:
    """The next request would be taken for the body, or the body for the next request."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 40\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", door.wire.port)
    writer.write(f"{head}\r\n".encode())
    async with asyncio.timeout(5):
        got = await reader.read(-1)
    writer.close()
    assert got.startswith(b"HTTP/1.1 4")
    assert b"connection: close" in got


async def test_many_requests_in_a_packet_cost_little_and_are_cut_off(door: Door) -> None:
    few = door.who(door.ada) * MOST_WAITING
    assert await door.say(few) == ([200] * MOST_WAITING, ["ada"] * MOST_WAITING)
    statuses, _ = await door.say("GET /v1/x HTTP/1.1\r\n\r\n" * 10_000)
    assert len(statuses) <= 1
    before = resident(door)
    many = ("GET /livez HTTP/1.1\r\n\r\n" * 20_000).encode()
    await asyncio.gather(*(door.wire.say(many, within=5) for _ in range(20)))
    assert resident(door) - before < 60
    await works(door.wire)


def resident(door: Door) -> int:
    """Megabytes of memory that the server has."""
    status = Path(f"/proc/{door.wire.installation.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1024


async def test_no_socket_is_opened_over_an_answer(door: Door) -> None:
    asked = door.who(door.ada) + f"GET /graphql HTTP/1.1\r\n{UPGRADE}\r\n"
    statuses, _ = await door.say(asked)
    assert 101 not in statuses


async def test_a_socket_that_never_opens_is_cut(door: Door) -> None:
    async def opening(method: str, rest: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.wire.port)
        writer.write(f"{method} /graphql HTTP/1.1\r\n{UPGRADE}{rest}".encode())
        async with asyncio.timeout(20):
            got = await reader.read(-1)
        writer.close()
        return got

    every = (
        opening("POST", "content-length: 9\r\n\r\nnine"),
        opening("GET", "content-length: 9\r\n\r\n"),
        opening("POST", f"{CHUNKED}\r\n5\r\nabc"),
    )
    assert all(b" 101 " not in got for got in await asyncio.gather(*every))


PATHS = (
    *("/v1/./models", "/v1/../v1/models", "//v1/models", "/V1/models", "/v1//models"),
    *("/v1/models/", "/v1/models;x", "/v1/models%00", "/v1\\models", "/v1/models/..%2fgraphql"),
    *("/%76%31/models", "/v1%2fmodels", "/v1/%6dodels", "http://evil.example/v1/models"),
)


@pytest.mark.parametrize("path", PATHS)
async def test_no_spelling_of_a_path_needs_no_key(door: Door, path: str) -> None:
    for more in ("", "x-forwarded-for: 192.0.2.1\r\n", "x-forwarded-proto: https\r\n"):
        plain = f"GET {path} HTTP/1.1\r\nhost: x\r\n{more}connection: close\r\n\r\n"
        said = await door.wire.say(plain.encode())
        assert b'"object":"list"' not in said
        assert b'"data"' not in said
