"""What an answer says without figures of its own is counted alike, streamed or whole."""

import json
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from domain.snapshot import ProviderType
from domain.usage import UsageSource
from gateway.openai.words import words, words_of
from tests.gateway.adapter.formats import EVERY, serve
from tests.gateway.plane import KEY, Plane
from tests.provider.server import FakeProvider

HELLO: Any = [{"role": "user", "content": "what is the weather like, and how late is it?"}]
NAMES = ("weather", "time")
CHAT_TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in NAMES
]
TOOLS: Any = [{"name": name, "input_schema": {"type": "object"}} for name in NAMES]


@pytest.mark.parametrize("type", EVERY)
@pytest.mark.parametrize("model", ["fake-n40-nousage", "fake-absurd", "fake-tools2-nousage"])
async def test_an_estimate_is_the_same_in_both_formats_and_both_modes(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, model: str
) -> None:
    serve(plane, fake_provider, type, model)
    tools = "tools" in model
    async with AsyncAnthropic(
        base_url=plane.base_url.removesuffix("/v1"), api_key=KEY, max_retries=0
    ) as claude:
        for stream in (False, True):
            chat: Any = {"tools": CHAT_TOOLS} if tools else {}
            await _read(
                plane.client.chat.completions.create(
                    model="auto", messages=HELLO, stream=stream, **chat
                ),
                stream,
            )
            more: Any = {"tools": TOOLS} if tools else {}
            await _read(
                claude.messages.create(
                    model="auto", max_tokens=900, messages=HELLO, stream=stream, **more
                ),
                stream,
            )

    outcomes = await plane.records.settled(4)
    assert {outcome.usage_source for outcome in outcomes} == {UsageSource.ESTIMATED}
    assert len({outcome.usage.output for outcome in outcomes}) == 1
    assert outcomes[0].usage.output > 8
    for chat_or_message in (0, 1):
        whole, streamed = outcomes[chat_or_message::2]
        assert (whole.usage, whole.cost) == (streamed.usage, streamed.cost)


async def _read(asked: Any, stream: bool) -> None:
    answer = await asked
    if stream:
        async for _ in answer:
            pass


def test_every_part_of_every_choice_is_counted_in_one_order() -> None:
    call = {"id": "c", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    messages = [
        {"role": "assistant", "content": "Grüße 👋", "reasoning_content": "Hm."},
        {"content": None, "refusal": "No.", "tool_calls": [call]},
    ]
    whole = {"choices": [{"index": n, "message": said} for n, said in enumerate(messages)]}
    deltas = [
        (1, {"refusal": "N"}),
        (0, {"role": "assistant", "content": ""}),
        (0, {"reasoning_content": "Hm."}),
        (0, {"content": "Grüße "}),
        (1, {"tool_calls": [{"index": 0, "function": {"name": "weather", "arguments": '{"ci'}}]}),
        (0, {"content": "👋"}),
        (1, {"refusal": "o."}),
        (1, {"tool_calls": [{"index": 0, "function": {"arguments": 'ty":"Oslo"}'}}]}),
    ]
    events = b"".join(_event([{"index": n, "delta": delta}]) for n, delta in deltas)

    said = 'Grüße 👋\nHm.\nNo.\nweather\n{"city":"Oslo"}'.encode()
    assert words(json.dumps(whole).encode()) == words_of(events) == said


@pytest.mark.parametrize(
    "odd", [b"{", b"[]", b'{"choices":null}', b'{"choices":[{"message":{"content":7}}]}']
)
def test_what_cannot_be_read_says_nothing(odd: bytes) -> None:
    assert words(odd) == words_of(b"data: " + odd + b"\n\n") == b""


def _event(choices: Any) -> bytes:
    return b"data: " + json.dumps({"choices": choices}).encode() + b"\n\n"
