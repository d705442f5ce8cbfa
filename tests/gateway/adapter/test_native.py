"""OpenAI's client on one side, Anthropic's and Google's own formats on the other."""

import json
from typing import Any

import pytest

from domain.snapshot import ProviderType
from domain.usage import TokenUsage, UsageSource, UsageStatus
from tests.gateway.adapter.formats import EVERY, HELLO, KEY_HEADERS, NATIVE, ask, serve
from tests.gateway.plane import Plane
from tests.provider.server import FakeProvider

pytestmark = pytest.mark.parametrize("stream", [False, True])
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("weather", "time")
]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DECLARED = {"name": "f", "description": "F.", "strict": True}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
COST = 1000 * 3_000 + 20 * 15_000


@pytest.mark.parametrize("type", NATIVE)
async def test_text_and_its_cost_in_the_providers_own_format(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake-n3-i1000-c400-o20-r5")

    answer = await ask(plane, stream)

    assert answer["content"] == "word0 word1 word2 "
    assert answer["finish_reason"] == "stop"
    assert (answer["usage"].prompt_tokens, answer["usage"].completion_tokens) == (1000, 20)
    [sent] = fake_provider.chats
    assert sent.path.endswith(("/messages", "enerateContent"))
    assert sent.headers[KEY_HEADERS[type]] == "sk-native"
    assert "authorization" not in sent.headers
    [outcome] = await plane.records.settled()
    assert outcome.usage == TokenUsage(input=1000, cached=400, output=20, reasoning=5)
    assert (outcome.usage_source, outcome.status) == (UsageSource.PROVIDER, UsageStatus.OK)
    assert outcome.cost == COST


@pytest.mark.parametrize("type", EVERY)
async def test_every_format_costs_the_same(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake-i1000-c400-o20-r5")
    answer = await ask(plane, stream)
    assert (await plane.records.settled())[0].cost == COST
    # Nano-dollars, told as dollars.
    assert answer["usage"].model_extra["cost"] == COST / 1e9


async def test_what_anthropic_wrote_to_its_cache_is_input(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    serve(plane, fake_provider, ProviderType.ANTHROPIC, "fake-i1000-c400-w100-o20")
    await ask(plane, stream)
    [outcome] = await plane.records.settled()
    assert outcome.usage == TokenUsage(input=1000, cached=400, cache_write=100, output=20)
    assert fake_provider.chats[0].usage is not None
    assert fake_provider.chats[0].usage["input_tokens"] == 500


@pytest.mark.parametrize("type", NATIVE)
@pytest.mark.parametrize("count", [1, 2])
async def test_tool_calls_come_and_their_results_go_back(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, count: int, stream: bool
) -> None:
    serve(plane, fake_provider, type, f"fake-tools{count}-r1")

    answer = await ask(plane, stream, tools=TOOLS, tool_choice="required")

    calls = answer["tool_calls"]
    assert answer["finish_reason"] == "tool_calls"
    assert [call["function"]["name"] for call in calls] == ["weather", "time"][:count]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [
        {"city": "Bern"}
    ] * count
    assert len({call["id"] for call in calls}) == count
    kept = ("content", "tool_calls", "reasoning_content", "thinking_blocks")
    said = {"role": "assistant"} | {name: answer[name] for name in kept if name in answer}
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": '{"degrees":20}'} for call in calls
    ]
    await ask(plane, stream, tools=TOOLS, messages=[*HELLO, said, *results])
    _, second = fake_provider.chats
    assert second.status == 200
    turns = second.body["messages" if type is ProviderType.ANTHROPIC else "contents"]
    if type is ProviderType.ANTHROPIC:
        _claude_got_it_back(turns, calls)
    else:
        _gemini_got_it_back(turns, calls)


def _claude_got_it_back(turns: Any, calls: Any) -> None:
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"] == [
        {"type": "thinking", "thinking": "Hm. ", "signature": "signed-by-the-fake"},
        *(
            {
                "type": "tool_use",
                "id": call["id"],
                "name": call["function"]["name"],
                "input": {"city": "Bern"},
            }
            for call in calls
        ),
    ]
    assert turns[2]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": call["id"],
            "content": [{"type": "text", "text": '{"degrees":20}'}],
        }
        for call in calls
    ]


def _gemini_got_it_back(turns: Any, calls: Any) -> None:
    assert [turn["role"] for turn in turns] == ["user", "model", "user"]
    named = [{"id": call["id"], "name": call["function"]["name"]} for call in calls]
    parts = [{"functionCall": call | {"args": {"city": "Bern"}}} for call in named]
    parts[0]["thoughtSignature"] = "c2lnbmVk"  # type: ignore[assignment]
    assert turns[1]["parts"] == parts
    assert turns[2]["parts"] == [
        {"functionResponse": call | {"response": {"degrees": 20}}} for call in named
    ]


@pytest.mark.parametrize("type", NATIVE)
async def test_everything_both_can_say_is_said(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake")
    image = {"type": "image_url", "image_url": {"url": PIXEL}}
    await ask(
        plane,
        stream,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
        ],
        stop=["END"],
        max_tokens=50,
        temperature=0.5,
        top_p=0.9,
        tools=[
            {"type": "function", "function": {"name": "f", "description": "F.", "strict": True}}
        ],
        tool_choice={"type": "function", "function": {"name": "f"}},
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        user="u-1",
        metadata={"a": "b"},
        store=False,
    )

    expected = _CLAUDE if type is ProviderType.ANTHROPIC else _GEMINI
    more = {"stream": True} if stream and type is ProviderType.ANTHROPIC else {}
    assert fake_provider.chats[0].body == expected | more


_CLAUDE: Any = {
    "model": "fake",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image",
                    "source": {
                        "type": "base64",
                        "media_type": "image/png",
                        "data": "iVBORw0KGgo=",
                    },
                },
            ],
        }
    ],
    "stop_sequences": ["END"],
    "temperature": 0.5,
    "top_p": 0.9,
    "tools": [
        {
            "name": "f",
            "description": "F.",
            "input_schema": {"type": "object", "properties": {}},
            "strict": True,
        }
    ],
    "tool_choice": {"type": "tool", "name": "f"},
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
}
_GEMINI: Any = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "What is this?"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
            ],
        }
    ],
    "generationConfig": {
        "maxOutputTokens": 50,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    },
    "tools": [{"functionDeclarations": [{"name": "f", "description": "F."}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
}


@pytest.mark.parametrize("type", NATIVE)
async def test_a_limit_cuts_the_answer(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake-n9")
    answer = await ask(plane, stream, max_tokens=2)
    assert (answer["content"], answer["finish_reason"]) == ("word0 word1 ", "length")


@pytest.mark.parametrize("type", NATIVE)
async def test_without_a_figure_the_answer_is_estimated(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake-n40-nousage")
    answer = await ask(plane, stream)
    [outcome] = await plane.records.settled()
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert outcome.usage.output > 0
    told = answer["usage"].model_dump(exclude_none=True)
    assert (told["prompt_tokens"], told["completion_tokens"]) == (
        outcome.usage.input,
        outcome.usage.output,
    )
    assert told["estimated"] is True


@pytest.mark.parametrize("type", NATIVE)
async def test_impossible_figures_are_not_billed(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake-absurd")
    answer = await ask(plane, stream)
    assert answer["usage"].model_extra["estimated"] is True
    assert answer["usage"].prompt_tokens > 0
    [outcome] = await plane.records.settled()
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert outcome.attempts[0].reason == "usage impossible"


@pytest.mark.parametrize("type", EVERY)
async def test_what_changes_nothing_and_is_not_passed_on_is_reported(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake")
    asked: Any = {"user": "u-1", "store": False, "metadata": {"a": "b"}, "stream": stream}

    raw = await plane.client.chat.completions.with_raw_response.create(
        model="auto", messages=HELLO, **asked
    )

    ignored = None if type is ProviderType.CUSTOM else "metadata, user"
    assert raw.headers.get("x-fairlead-ignored") == ignored


@pytest.mark.parametrize("type", EVERY)
async def test_impossible_figures_teach_nothing_about_lengths(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    odd = serve(plane, fake_provider, type, "fake-absurd")
    sound = serve(plane, fake_provider, type, "fake-o20")

    for model in ("fake-absurd", "fake-o20"):
        await ask(plane, stream, model=f"one/{model}")

    await plane.records.settled(2)
    vitals = plane.configuration.live.vitals
    assert vitals[odd.id].output is None
    assert vitals[sound.id].output is not None
