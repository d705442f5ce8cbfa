"""Anthropic's client on one side, every format of a provider on the other."""

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import AsyncAnthropic

from domain.snapshot import ProviderType
from domain.usage import TokenUsage, UsageSource, UsageStatus
from tests.gateway.adapter.formats import EVERY, serve
from tests.gateway.messages.asking import HELLO, ask
from tests.gateway.plane import KEY, Plane
from tests.provider.server import FakeProvider

both_modes = pytest.mark.parametrize("stream", [False, True])
every_format = pytest.mark.parametrize("type", EVERY)
COST = 1000 * 3_000 + 20 * 15_000
TOOLS: Any = [{"name": name, "input_schema": {"type": "object"}} for name in ("weather", "time")]


@both_modes
@every_format
async def test_text_usage_and_cost(
    plane: Plane,
    fake_provider: FakeProvider,
    claude: AsyncAnthropic,
    type: ProviderType,
    stream: bool,
) -> None:
    serve(plane, fake_provider, type, "fake-n3-i1000-c400-o20-r5")

    answer = await ask(claude, stream)

    assert [b.text for b in answer.content if b.type == "text"] == ["word0 word1 word2 "]
    assert (answer.stop_reason, answer.role, answer.type) == ("end_turn", "assistant", "message")
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (600, 400)
    assert answer.usage.output_tokens == 20
    [outcome] = await plane.records.settled()
    assert outcome.usage == TokenUsage(input=1000, cached=400, output=20, reasoning=5)
    assert (outcome.usage_source, outcome.status) == (UsageSource.PROVIDER, UsageStatus.OK)
    assert outcome.cost == COST
    assert outcome.decision is not None


@every_format
async def test_cost_is_told_with_the_last_usage_and_in_the_header(
    plane: Plane, fake_provider: FakeProvider, claude: AsyncAnthropic, type: ProviderType
) -> None:
    serve(plane, fake_provider, type, "fake-i1000-c400-o20-r5")
    asked: Any = {"model": "auto", "max_tokens": 900, "messages": HELLO}

    whole = await claude.messages.with_raw_response.create(**asked)
    events = [event async for event in await claude.messages.create(**asked, stream=True)]

    assert whole.headers["x-fairlead-cost"] == "0.0033"
    assert whole.headers["x-fairlead-provider"] == "one"
    told: Any = (await whole.parse()).usage
    assert told.cost == 0.0033
    assert [event.type for event in events[-2:]] == ["message_delta", "message_stop"]
    last: Any = events[-2]
    assert (last.usage.cost, last.usage.output_tokens) == (0.0033, 20)


@both_modes
@every_format
@pytest.mark.parametrize("count", [1, 2])
async def test_tool_calls_come_and_their_results_go_back(
    plane: Plane,
    fake_provider: FakeProvider,
    claude: AsyncAnthropic,
    type: ProviderType,
    stream: bool,
    count: int,
) -> None:
    serve(plane, fake_provider, type, f"fake-tools{count}-r1")

    answer = await ask(claude, stream, tools=TOOLS, tool_choice={"type": "any"})

    calls: Any = [block for block in answer.content if block.type == "tool_use"]
    assert answer.stop_reason == "tool_use"
    assert [call.name for call in calls] == ["weather", "time"][:count]
    assert [call.input for call in calls] == [{"city": "Bern"}] * count
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": '{"degrees":20}'}
        for call in calls
    ]
    said: Any = [block.to_dict() for block in answer.content]
    turns = [*HELLO, {"role": "assistant", "content": said}, {"role": "user", "content": results}]
    await ask(claude, stream, tools=TOOLS, messages=turns)
    second = fake_provider.chats[1]
    assert second.status == 200
    if type is ProviderType.ANTHROPIC:
        assert second.body["messages"] == turns
    elif type is ProviderType.GOOGLE:
        parts = second.body["contents"][1]["parts"]
        assert parts[0]["thoughtSignature"] == "c2lnbmVk"
        assert [p["functionResponse"]["id"] for p in second.body["contents"][2]["parts"]] == [
            call.id for call in calls
        ]
    else:
        roles = [message["role"] for message in second.body["messages"]]
        assert roles == ["user", "assistant", *["tool"] * count]
        assert [m["tool_call_id"] for m in second.body["messages"][2:]] == [c.id for c in calls]


async def test_a_browsers_header_or_a_bearer_token_is_the_credential(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    serve(plane, fake_provider, ProviderType.CUSTOM, "fake")
    body = {"model": "auto", "max_tokens": 9, "messages": HELLO}
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        for headers in ({"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}):
            answer = await client.post(f"{plane.base_url}/messages", headers=headers, json=body)
            assert answer.status_code == 200


async def test_tokens_are_counted_by_ourselves(plane: Plane, claude: AsyncAnthropic) -> None:
    counted = await claude.messages.count_tokens(model="any", messages=HELLO)
    more = await claude.messages.count_tokens(model="any", messages=HELLO, system="Be brief.")
    assert 3 <= counted.input_tokens < more.input_tokens < 40
    with pytest.raises(anthropic.BadRequestError):
        await claude.messages.count_tokens(model="any", messages=[])
