"""Streams as providers write them beside the letter of the format, read by the official SDK."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import orjson
import pytest

from domain.snapshot import Capability
from domain.usage import Outcome, TokenUsage, UsageSource
from tests.gateway.plane import Plane, serving
from tests.gateway.raw import saying
from tests.gateway.test_chat import HELLO

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
ZEROS = dict.fromkeys(USAGE, 0)
BEGUN = USAGE | {"completion_tokens": 0, "total_tokens": 11}
TOOL: Any = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def event(value: Any) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def chunk(delta: Any, finish: str | None = None, **more: Any) -> Any:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    made = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**made, "choices": [choice], **more}


def call(index: int, arguments: str, **more: Any) -> Any:
    return chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}} | more]})


PARTS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Grüße "}),
    chunk({"content": "an 🌍"}),
    chunk({}, "stop"),
]
LAST = chunk({}) | {"choices": [], "usage": USAGE}
TEXT = b"".join(map(event, PARTS))
WHOLE = TEXT + event(LAST) + DONE
CUMULATIVE = [part | {"usage": USAGE | {"completion_tokens": n}} for n, part in enumerate(PARTS, 4)]


@pytest.fixture
async def odd(pieces: list[bytes]) -> AsyncIterator[Plane]:
    """A plane before a provider whose `one/odd` sends `pieces`; after b"" it breaks off."""
    async with saying(pieces, stream=True) as where, serving(where) as plane:
        made = plane.provider("one", f"http://{where}/v1")
        plane.model(made, "odd", capabilities=frozenset(Capability))
        yield plane


async def ask(plane: Plane, **more: Any) -> list[Any]:
    asked: Any = {"model": "one/odd", "messages": HELLO, "stream": True} | more
    return [part async for part in await plane.client.chat.completions.create(**asked)]


def text(parts: Sequence[Any]) -> str:
    deltas = [choice.delta for part in parts for choice in part.choices or ()]
    return "".join(delta.content or "" for delta in deltas if delta)


async def outcome(plane: Plane) -> Outcome:
    (made,) = await plane.records.settled()
    return made


@pytest.mark.parametrize("usage", [False, True], ids=["", "usage asked for"])
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([WHOLE], id="as documented"),
        pytest.param([bytes([byte]) for byte in WHOLE], id="a byte at a time, within letters too"),
        pytest.param([WHOLE.replace(b"\n", b"\r\n")], id="CRLF"),
        pytest.param([bytes([b]) for b in WHOLE.replace(b"\n", b"\r\n")], id="CRLF in bytes"),
        pytest.param([WHOLE.replace(b"\n", b"\r")], id="CR"),
        pytest.param([WHOLE.replace(b"data: ", b"data:")], id="no space after data"),
        pytest.param([WHOLE.replace(b"data: {", b": c\nid: 3\ndata: {")], id="other lines"),
        pytest.param([b": one\n\n" * 9, WHOLE], id="comments"),
        pytest.param([b"retry: 3000\n\ndata:\n\ndata: \n\n", WHOLE], id="events without data"),
        pytest.param([b"\xef\xbb\xbf" + WHOLE], id="a mark of byte order"),
        pytest.param([WHOLE.removesuffix(b"\n\n")], id="no empty line at the end"),
        pytest.param([WHOLE + TEXT], id="more after the end"),
        pytest.param([event(LAST | {"usage": None}) + WHOLE], id="no choices at the start"),
        pytest.param([event(LAST | {"choices": None, "usage": None}) + WHOLE], id="null choices"),
        pytest.param([TEXT + event(LAST)], id="no [DONE]"),
        pytest.param(
            [*map(event, PARTS[:-1]), event(PARTS[-1] | {"usage": USAGE}), DONE],
            id="usage beside the finish reason",
        ),
        pytest.param([*map(event, CUMULATIVE), DONE], id="usage in every chunk"),
        pytest.param([*map(event, CUMULATIVE), event(LAST), DONE], id="and once more at the end"),
        pytest.param(
            [TEXT, event(LAST), event(LAST | {"usage": None}), DONE], id="then null once more"
        ),
        pytest.param(
            [event(PARTS[0] | {"usage": BEGUN}), *map(event, PARTS[1:]), event(LAST), DONE],
            id="usage at the start too",
        ),
        pytest.param([WHOLE.replace(b":11,", b":11.0,")], id="usage in floats"),
    ],
)
async def test_it_is_read_and_paid_as_it_is_meant(
    odd: Plane, pieces: list[bytes], sent: list[bytes], usage: bool
) -> None:
    pieces += sent
    parts = await ask(odd, **({"stream_options": {"include_usage": True}} if usage else {}))
    made = await outcome(odd)

    assert text(parts) == "Grüße an 🌍"
    assert (made.usage, made.usage_source) == (TokenUsage(11, output=7), UsageSource.PROVIDER)
    told = [part.usage for part in parts if part.usage]
    assert [one.model_extra["cost"] for one in told] == ([0.000039] if usage else [])


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([TEXT, DONE], id="none"),
        pytest.param([TEXT, event(LAST | {"usage": ZEROS}), DONE], id="zeros"),
        pytest.param([TEXT, event(LAST | {"usage": {}}), DONE], id="empty"),
        pytest.param([event(PARTS[0] | {"usage": BEGUN}), TEXT, DONE], id="of its first word"),
        pytest.param([event(CUMULATIVE[1]), TEXT, DONE], id="in the midst"),
        pytest.param([event(CUMULATIVE[1]), TEXT, b""], id="and then it broke off"),
    ],
)
async def test_figures_that_leave_out_what_was_said_are_replaced_by_an_estimate(
    odd: Plane, pieces: list[bytes], sent: list[bytes]
) -> None:
    pieces += sent
    with suppress(Exception):
        await ask(odd)
    made = await outcome(odd)
    assert made.usage_source is UsageSource.ESTIMATED
    assert made.usage.input > 0
    assert made.usage.output >= 3


async def test_calls_that_are_told_in_turns_stay_apart(odd: Plane, pieces: list[bytes]) -> None:
    events = [
        call(0, "", id="a", type="function"),
        call(0, '{"x":'),
        call(1, "{}", id="b", type="function"),
        call(0, '"\\"finish_reason\\":\\"stop\\""}'),
        chunk({}, "tool_calls"),
        LAST,
    ]
    pieces += [*map(event, events), DONE]
    parts = await ask(odd, tools=[TOOL], parallel_tool_calls=True)

    said = {0: "", 1: ""}
    for part in parts:
        for choice in part.choices:
            for one in choice.delta.tool_calls or ():
                said[one.index] += one.function.arguments
    assert said == {0: '{"x":"\\"finish_reason\\":\\"stop\\""}', 1: "{}"}
    assert (await outcome(odd)).usage == TokenUsage(11, output=7)


async def test_text_that_looks_like_the_format_is_text(odd: Plane, pieces: list[bytes]) -> None:
    said = ['"error": {"a": 1}', '"finish_reason":"stop"', ',"usage":null', "data: [DONE]\n\n"]
    events = [PARTS[0], *(chunk({"content": word}) for word in said), PARTS[-1], LAST]
    pieces += [*map(event, events), DONE]
    assert text(await ask(odd)) == "".join(said)


async def test_of_two_choices_each_has_its_words(odd: Plane, pieces: list[bytes]) -> None:
    events = [
        chunk({"content": word}, end) for word, end in (("a", None), ("b", None), ("", "stop"))
    ]
    others = [one | {"choices": [one["choices"][0] | {"index": 1}]} for one in events]
    pieces += [*map(event, [*events, *others, LAST]), DONE]
    parts = await ask(odd, n=2)
    ends = [choice.finish_reason for part in parts for choice in part.choices]
    assert (text(parts), ends.count("stop")) == ("abab", 2)
