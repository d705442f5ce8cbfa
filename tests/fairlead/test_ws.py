"""The WebSocket endpoint: the protocol to the letter, and nothing before or beyond a right."""

import asyncio
from collections.abc import Sequence

import pytest
from websockets.typing import Subprotocol

from fairlead.graphql import ws
from tests.fairlead.board import CANARY
from tests.fairlead.conftest import Door, closed, hear, say, subscribe

TICKS = {"query": "subscription { ticks }"}
WRITE = {"query": 'mutation { write(input: {text: "x"}) { __typename } }'}

GARBAGE: list[str | bytes] = [
    "",
    " ",
    "null",
    "0",
    "true",
    '"subscribe"',
    "[]",
    "[1]",
    "{",
    "{}",
    "nonsense",
    b"\x00\xff",
    b'{"type": "ping"}',
    '{"type": null}',
    '{"type": 7}',
    '{"type": ["ping"]}',
    '{"type": {}}',
    '{"type": "start"}',
    '{"type": "connection_ack"}',
    '{"type": "ping", "payload": []}',
    '{"type": "pong", "payload": "x"}',
    '{"type": "connection_init", "payload": 1}',
    '{"type": "ping", "payload": {"n": NaN}}',
    '{"type": "ping", "payload": "\\ud800"}',
    '{"type": "ping", "payload": ' + '{"a":' * 40 + "1" + "}" * 40 + "}",
]
AFTER_ACK = [
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "", "payload": {"query": "{ mine }"}}',
    '{"type": "subscribe", "id": 1, "payload": {"query": "{ mine }"}}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ mine }", "variables": []}}',
    '{"type": "subscribe", "id": "1", "payload": [{"query": "{ mine }"}]}',
    '{"type": "complete"}',
    '{"type": "complete", "id": 7}',
]


async def codes(door: Door, frames: Sequence[str | bytes], *, init: bool) -> list[int | None]:
    """How each frame, on a socket of its own, closes it."""
    found = []
    for frame in frames:
        async with door.socket(init=init) as socket:
            await socket.send(frame)
            found.append(await closed(socket))
    return found


@pytest.mark.parametrize("init", [False, True])
async def test_malformed_frames_close_with_4400(door: Door, init: bool) -> None:
    assert await codes(door, GARBAGE, init=init) == [4400] * len(GARBAGE)
    assert await hears_pong(door)


async def test_malformed_requests_close_with_4400(door: Door) -> None:
    assert await codes(door, AFTER_ACK, init=True) == [4400] * len(AFTER_ACK)
    assert await hears_pong(door)


async def hears_pong(door: Door) -> bool:
    """Whether a new socket still works."""
    async with door.socket() as socket:
        await say(socket, type="ping")
        return bool(await hear(socket) == {"type": "pong"})


async def test_a_frame_that_is_too_large_closes_with_1009(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", query="{ mine }" + " " * 70_000)

        assert await closed(socket) == 1009


async def test_queries_mutations_and_errors_come_over_the_socket(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "q", query="{ mine broken }")
        answer = await hear(socket)
        assert (answer["id"], answer["type"]) == ("q", "next")
        assert answer["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert CANARY not in str(answer)
        assert await hear(socket) == {"id": "q", "type": "complete"}

        await subscribe(socket, "q", **WRITE)
        assert (await hear(socket))["payload"]["data"] == {"write": {"__typename": "Note"}}
        assert (await hear(socket))["type"] == "complete"
        assert door.board.written == ["x"]

        await subscribe(socket, "q", query="{ nothing }")
        answer = await hear(socket)
        assert (answer["type"], answer["id"]) == ("error", "q")
        assert "Cannot query field 'nothing'" in answer["payload"][0]["message"]

        await subscribe(socket, "q", query="{ notes(first: 5000) { text } }")
        answer = await hear(socket)
        assert answer["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_events_come_until_the_source_ends(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        for tick in (1, 2, -1):
            door.board.ticks.put_nowait(tick)

        payloads = [(await hear(socket))["payload"]["data"] for _ in range(2)]
        assert payloads == [{"ticks": 1}, {"ticks": 2}]
        assert await hear(socket) == {"id": "1", "type": "complete"}


async def test_events_that_come_together_are_messages_of_their_own(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", query="subscription { bursts }")
        for size in (3, 0, 2, -1):
            door.board.ticks.put_nowait(size)

        told = [await hear(socket) for _ in range(5)]
        assert [each["payload"]["data"]["bursts"] for each in told] == [0, 1, 2, 0, 1]
        assert {each["id"] for each in told} == {"1"}
        assert await hear(socket) == {"id": "1", "type": "complete"}
        assert door.board.left.is_set()


async def test_a_source_that_fails_says_only_a_number(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        door.board.ticks.put_nowait(13)

        error = (await hear(socket))["payload"]["errors"][0]
        assert error["extensions"]["code"] == "INTERNAL"
        assert CANARY not in str(error)
        assert (await hear(socket))["type"] == "complete"


async def test_completing_and_leaving_end_the_source(door: Door) -> None:
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        await door.board.listening.wait()
        await say(socket, type="complete", id="1")
        await asyncio.wait_for(door.board.left.wait(), 10)

        door.board.left.clear()
        door.board.listening.clear()
        await subscribe(socket, "1", **TICKS)
        await door.board.listening.wait()
    await asyncio.wait_for(door.board.left.wait(), 10)


async def test_ping_is_answered_before_and_after_the_acknowledgement(door: Door) -> None:
    async with door.socket(init=False) as socket:
        await say(socket, type="ping", payload={"a": 1})
        assert await hear(socket) == {"type": "pong"}
        await say(socket, type="pong")
        payload = {"Authorization": f"Bearer {door.key}"}
        await say(socket, type="connection_init", payload=payload)
        assert await hear(socket) == {"type": "connection_ack"}
        await say(socket, type="ping")
        assert await hear(socket) == {"type": "pong"}


async def test_the_protocols_close_codes(door: Door) -> None:
    async with door.socket(init=False) as socket:
        await subscribe(socket, "1", **WRITE)
        assert await closed(socket) == 4401
    async with door.socket() as socket:
        await say(socket, type="connection_init")
        assert await closed(socket) == 4429
    async with door.socket() as socket:
        await subscribe(socket, "1", **TICKS)
        await subscribe(socket, "1", **TICKS)
        assert await closed(socket) == 4409
    for protocol in ([Subprotocol("graphql-ws")], None):
        async with door.socket(init=False, subprotocols=protocol) as socket:
            assert await closed(socket) == 4406
    assert door.board.written == []


async def test_a_socket_that_says_nothing_is_closed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ws, "_INIT_WITHIN", 0.05)
    async with door.socket(init=False) as socket:
        assert await closed(socket) == 4408


async def test_at_most_twenty_operations_run_on_one_socket(door: Door) -> None:
    async with door.socket() as socket:
        for number in range(21):
            await subscribe(socket, str(number), **TICKS)
        answer = await hear(socket)

        assert (answer["id"], answer["type"]) == ("20", "error")
        assert answer["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
