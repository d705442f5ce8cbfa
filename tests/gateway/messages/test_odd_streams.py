"""Anthropic's streams beside the letter of the format, read by its own SDK and by OpenAI's."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from anthropic import APIError, AsyncAnthropic

from domain.snapshot import ProviderType
from domain.usage import Outcome, TokenUsage, UsageSource
from tests.gateway.plane import KEY, MICRO, Plane, serving
from tests.gateway.raw import saying
from tests.gateway.test_chat import HELLO

START: Any = {
    "type": "message_start",
    "message": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "cache_read_input_tokens": 100, "output_tokens": 1},
    },
}
BEGIN = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
STOP = {"type": "content_block_stop", "index": 0}
END = {"type": "message_stop"}
USED = TokenUsage(111, cached=100, output=7)


def said(text: str) -> Any:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def done(**usage: Any) -> Any:
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7, **usage}}


def made(kind: str) -> Any:
    counts = {"input_tokens": 1000, "output_tokens": 50, "cache_read_input_tokens": 500}
    return {"iterations": [{"type": kind, **counts}, {"type": "message", "input_tokens": 11}]}


def event(value: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), orjson.dumps(value))


TEXT = [START, BEGIN, {"type": "ping"}, said("Grüße "), said("🌍"), STOP]
WHOLE = b"".join(map(event, [*TEXT, done(), END]))
NAMELESS = [b"data: " + orjson.dumps(value) + b"\n\n" for value in [*TEXT, done(), END]]


@pytest.fixture
async def odd(pieces: list[bytes]) -> AsyncIterator[Plane]:
    """A plane whose `one/odd` costs $1 and $4, from a cache $0.1."""
    async with saying(pieces, stream=True) as where, serving(where) as plane:
        one = plane.provider("one", f"http://{where}", keys=("sk",), type=ProviderType.ANTHROPIC)
        plane.model(one, "odd", cached_input=MICRO // 10)
        yield plane


async def ask(plane: Plane, *, native: bool) -> tuple[str, Any]:
    """What was said, and the cost that was told."""
    asked: Any = {"model": "one/odd", "messages": HELLO, "max_tokens": 99, "stream": True}
    text, cost = "", None
    if native:
        origin = plane.base_url.removesuffix("/v1")
        async with AsyncAnthropic(base_url=origin, api_key=KEY, max_retries=0) as claude:
            async for part in await claude.messages.create(**asked):
                if part.type == "content_block_delta":
                    text += part.delta.text
                elif part.type == "message_delta":
                    cost = part.usage.model_extra["cost"]
        return text, cost
    asked |= {"stream_options": {"include_usage": True}}
    async for chunk in await plane.client.chat.completions.create(**asked):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        cost = chunk.usage.model_extra["cost"] if chunk.usage else cost
    return text, cost


async def outcome(plane: Plane) -> Outcome:
    (one,) = await plane.records.settled()
    return one


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([WHOLE], id="as documented"),
        pytest.param([bytes([byte]) for byte in WHOLE], id="a byte at a time"),
        pytest.param([WHOLE.replace(b"\n", b"\r\n")], id="CRLF"),
        pytest.param([WHOLE.replace(b": ", b":")], id="no spaces"),
        pytest.param(NAMELESS, id="events without names"),
        pytest.param([b": one\n\n", WHOLE], id="comments"),
        pytest.param([WHOLE.replace(b"ping", b"made_later")], id="an event made later"),
        pytest.param([*map(event, [*TEXT, done()])], id="no message_stop"),
        pytest.param(
            [*map(event, [*TEXT, done(server_tool_use={"web_search_requests": 0}), END])],
            id="no searches",
        ),
    ],
)
async def test_it_is_read_and_paid_as_it_is_meant(
    odd: Plane, pieces: list[bytes], sent: list[bytes], native: bool
) -> None:
    pieces += sent
    assert await ask(odd, native=native) == ("Grüße 🌍", 0.000049)
    one = await outcome(odd)
    assert (one.usage, one.usage_source) == (USED, UsageSource.PROVIDER)


async def test_a_compaction_is_paid_though_the_sums_leave_it_out(
    odd: Plane, pieces: list[bytes]
) -> None:
    pieces += map(event, [*TEXT, done(**made("compaction")), END])
    # 1,011 that are new, 600 from the cache, 57 said.
    assert await ask(odd, native=True) == ("Grüße 🌍", 0.001299)
    assert (await outcome(odd)).usage == TokenUsage(1611, cached=600, output=57)


@pytest.mark.parametrize(
    "usage", [made("advisor_message"), {"server_tool_use": {"web_search_requests": 2}}]
)
async def test_what_has_no_price_here_is_a_cost_that_is_not_known(
    odd: Plane, pieces: list[bytes], usage: Any
) -> None:
    pieces += map(event, [*TEXT, done(**usage), END])
    assert await ask(odd, native=True) == ("Grüße 🌍", None)
    one = await outcome(odd)
    assert (one.cost, one.attempts[0].cost, one.usage.output) == (None, None, 7)


@pytest.mark.parametrize("iterations", [5, [5], [{"type": "compaction", "input_tokens": "x"}]])
async def test_parts_that_cannot_be_read_break_no_answer(
    odd: Plane, pieces: list[bytes], iterations: Any
) -> None:
    pieces += map(event, [*TEXT, done(iterations=iterations), END])
    text, _ = await ask(odd, native=True)
    assert text == "Grüße 🌍"
    one = await outcome(odd)
    unread = isinstance(iterations, list) and iterations != [5]
    assert (one.usage_source is UsageSource.ESTIMATED) is unread


async def test_one_that_breaks_off_pays_for_its_prompt_what_it_came_to(
    odd: Plane, pieces: list[bytes]
) -> None:
    pieces += [*map(event, TEXT), b""]
    with pytest.raises(APIError):
        await ask(odd, native=True)
    one = await outcome(odd)
    assert (one.usage, one.usage_source) == (
        TokenUsage(111, cached=100, output=2),
        UsageSource.ESTIMATED,
    )
