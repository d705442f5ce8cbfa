"""Event streams: graphql-sse's distinct connections mode, ended by either side or by rights."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import orjson
import pytest

from fairlead.graphql import sse
from tests.fairlead.conftest import Door

STREAM = {"accept": "text/event-stream"}
TICKS = {"query": "subscription { ticks }"}


@asynccontextmanager
async def events(door: Door, body: object) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
    """(event, data) one after the other; a comment is ("", "")."""

    async def read(answer: httpx2.Response) -> AsyncIterator[tuple[str, str]]:
        event = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data:"):
                yield event, line[5:].strip()
            elif line.startswith(":"):
                yield "", ""

    headers = STREAM | door.bearer
    async with door.http.stream("POST", "/graphql", json=body, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield read(answer)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_a_foreign_page_gets_no_events(door: Door, origin: str | None) -> None:
    page = {} if origin is None else {"origin": origin}
    headers = STREAM | {"cookie": await door.cookie()} | page
    answer = await door.http.post("/graphql", json=TICKS, headers=headers)
    assert answer.status_code == 403
    assert not door.board.listening.is_set()


async def test_a_query_is_one_event(door: Door) -> None:
    async with events(door, {"query": "{ mine }"}) as stream:
        heard = [each async for each in stream]

    assert [event for event, _ in heard] == ["next", "complete"]
    assert orjson.loads(heard[0][1])["data"] == {"mine": "ADMIN"}


async def test_a_subscription_streams_until_its_source_ends(door: Door) -> None:
    async with events(door, TICKS) as stream:
        for tick in (1, 2, -1):
            door.board.ticks.put_nowait(tick)
        heard = [each async for each in stream]

    assert [event for event, _ in heard] == ["next", "next", "complete"]
    assert orjson.loads(heard[1][1])["data"] == {"ticks": 2}
    assert heard[2][1] == ""


async def test_events_that_come_together_are_events_of_their_own(door: Door) -> None:
    async with events(door, {"query": "subscription { bursts }"}) as stream:
        for size in (3, -1):
            door.board.ticks.put_nowait(size)
        heard = [each async for each in stream]

    assert [event for event, _ in heard] == ["next", "next", "next", "complete"]
    assert [orjson.loads(data)["data"]["bursts"] for _, data in heard[:3]] == [0, 1, 2]


async def test_an_operation_that_cannot_start_says_why(door: Door) -> None:
    stranger = await door.ask("subscription { ticks }", signed_in=False, headers=STREAM)
    invalid = await door.ask("{ nothing }", headers=STREAM)
    costly = await door.ask("{ notes(first: 9000) { text } }", headers=STREAM)

    for answer, word in (
        (stranger, "Sign in"),
        (invalid, "Cannot query field"),
        (costly, "too large"),
    ):
        event, data, *_ = answer.text.splitlines()
        assert event == "event: next"
        assert word in orjson.loads(data.removeprefix("data: "))["errors"][0]["message"]
        assert answer.text.endswith("event: complete\ndata: \n\n")


async def test_what_is_refused_before_the_stream_is_plain_json(door: Door) -> None:
    unknown = await door.ask("{ mine }", headers=STREAM | {"authorization": "Bearer fl_no"})
    foreign = await door.ask("{ mine }", headers=STREAM | {"origin": "https://evil.example"})
    without = await door.ask("subscription { ticks }")

    assert unknown.status_code == 401
    assert foreign.status_code == 403
    assert "text/event-stream" in without.json()["errors"][0]["message"]


async def test_the_source_ends_when_the_client_leaves(door: Door) -> None:
    async with events(door, TICKS) as stream:
        door.board.ticks.put_nowait(1)
        assert (await anext(stream))[0] == "next"
    async with asyncio.timeout(10):
        await door.board.left.wait()


async def test_the_stream_ends_with_the_right(door: Door) -> None:
    async with events(door, TICKS) as stream:
        await door.board.listening.wait()
        await door.revoke()
        async with asyncio.timeout(5):
            heard = [each async for each in stream]

    assert [event for event, _ in heard] == ["next", "complete"]
    assert orjson.loads(heard[0][1])["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert door.board.left.is_set()


async def test_silence_is_broken_by_comments(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_HEARTBEAT", 0.01)
    async with events(door, TICKS) as stream:
        assert await anext(stream) == ("", "")
