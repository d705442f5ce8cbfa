"""Chat completions through the official SDK: what is served, what passes, what is recorded."""

from typing import Any

import httpx2
import msgspec
import pytest
from openai.types.chat import ChatCompletionMessageParam

from domain.decision import Decision
from domain.pricing import dollars
from domain.ruleset import Alias
from domain.snapshot import Capability
from domain.usage import TokenUsage, UsageSource, UsageStatus
from tests.gateway.plane import KEY, MICRO, Plane, identity
from tests.provider.server import FakeProvider

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say something."}]
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {}}}


async def test_an_answer_says_who_served_it_and_what_it_cost(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url, keys=("sk-one",))
    plane.model(one, "fake-i1000-c400-o20-r5", input=3 * MICRO, output=15 * MICRO)

    raw = await plane.client.chat.completions.with_raw_response.create(model="auto", messages=HELLO)

    answer = raw.parse()
    assert answer.model == "fake-i1000-c400-o20-r5"
    assert answer.choices[0].message.content == "".join(fake_provider.chats[0].text)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 1000
    cost = 1000 * 3_000 + 20 * 15_000
    outcome = plane.records.outcomes[0]
    shown = {name: raw.headers[f"x-fairlead-{name}"] for name in ("provider", "model", "attempts")}
    assert shown == {"provider": "one", "model": "fake-i1000-c400-o20-r5", "attempts": "1"}
    assert raw.headers["x-fairlead-request-id"] == str(outcome.id)
    assert raw.headers["x-fairlead-key-owner"] == "SYSTEM"
    assert raw.headers["x-fairlead-cost"] == dollars(cost) == "0.0033"
    assert outcome.cost == cost
    assert outcome.usage == TokenUsage(input=1000, cached=400, output=20, reasoning=5)
    assert (outcome.status, outcome.usage_source) == (UsageStatus.OK, UsageSource.PROVIDER)
    assert (outcome.model_id, outcome.provider_slug) == (identity("one/" + answer.model), "one")
    assert outcome.price_id == identity(f"one/{answer.model}$")
    assert outcome.api_key_id == identity("key")
    assert plane.records.intents[0].id == outcome.id
    assert fake_provider.chats[0].headers["authorization"] == "Bearer sk-one"


async def test_a_stream_costs_what_the_whole_answer_costs(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "fake-i1234-c34-o77-r7")

    whole = await plane.client.chat.completions.create(model="auto", messages=HELLO)
    stream = await plane.client.chat.completions.create(model="auto", messages=HELLO, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert text == whole.choices[0].message.content
    first, second = await plane.records.settled(2)
    assert first.usage == second.usage == TokenUsage(input=1234, cached=34, output=77, reasoning=7)
    assert first.cost == second.cost == 1234 * 1_000 + 77 * 4_000
    assert (first.streamed, second.streamed) == (False, True)
    assert first.first_token_ms is None
    assert second.first_token_ms is not None


async def test_usage_is_asked_for_and_hidden_from_a_caller_who_did_not_ask(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n3")

    async with (
        httpx2.AsyncClient(trust_env=False) as client,
        client.stream(
            "POST",
            f"{plane.base_url}/chat/completions",
            headers={"authorization": f"Bearer {KEY}"},
            json={"model": "auto", "messages": HELLO, "stream": True},
        ) as answer,
    ):
        sent = (await answer.aread()).decode()

    assert fake_provider.chats[0].body["stream_options"] == {"include_usage": True}
    assert fake_provider.chats[0].usage is not None
    assert "usage" not in sent
    assert sent.endswith("data: [DONE]\n\n")
    assert sent.count("data: ") == 1 + 3 + 1 + 1
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (await plane.records.settled())[0].usage_source is UsageSource.PROVIDER


async def test_usage_is_shown_to_a_caller_who_asked(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-n3-i9")

    stream = await plane.client.chat.completions.create(
        model="auto", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    usages = [chunk.usage async for chunk in stream]

    assert usages[:-1] == [None] * 5
    assert usages[-1] is not None
    assert (usages[-1].prompt_tokens, usages[-1].completion_tokens) == (9, 3)


@pytest.mark.parametrize("stream", [False, True])
async def test_tools_pass_through(plane: Plane, fake_provider: FakeProvider, stream: bool) -> None:
    capabilities = frozenset({Capability.STREAMING, Capability.TOOLS})
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "fake-tools", capabilities=capabilities)

    asked: Any = {"model": "auto", "messages": HELLO, "tools": [TOOL], "tool_choice": "required"}
    if stream:
        calls: list[Any] = []
        async for chunk in await plane.client.chat.completions.create(**asked, stream=True):
            calls += chunk.choices[0].delta.tool_calls or []
        arguments = "".join(call.function.arguments for call in calls)
        name = calls[0].function.name
    else:
        answer = await plane.client.chat.completions.create(**asked)
        (call,) = answer.choices[0].message.tool_calls or []
        name, arguments = call.function.name, call.function.arguments

    assert (name, arguments) == ("weather", '{"city":"Bern"}')
    sent = fake_provider.chats[0].body
    assert sent["tools"] == [TOOL]
    assert sent["tool_choice"] == "required"


async def test_unknown_fields_and_odd_values_pass_untouched(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")
    extra = {
        "top_k": 40,
        "provider": {"order": ["a", "b"], "nested": {"deep": [1.5e-7, None, "😀"]}},
        "logit_bias": {"50256": -100},
        "metadata": {"empty": ""},
        "parallel_tool_calls": None,
        "big": 12345678901234567890123,
    }

    await plane.client.chat.completions.create(
        model="auto", messages=HELLO, temperature=0.1, logprobs=True, seed=7, extra_body=extra
    )

    sent = fake_provider.chats[0].body
    rest = {name: value for name, value in sent.items() if name in extra}
    assert rest == extra
    assert (sent["temperature"], sent["logprobs"], sent["seed"]) == (0.1, True, 7)
    assert sent["messages"] == HELLO
    assert sent["model"] == "fake"
    assert set(sent) == {"model", "messages", "temperature", "logprobs", "seed", *extra}


async def test_stream_options_of_the_caller_are_kept(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")

    stream = await plane.client.chat.completions.create(
        model="auto", messages=HELLO, stream=True, stream_options={"include_obfuscation": False}
    )
    async for _ in stream:
        pass

    options = {"include_obfuscation": False, "include_usage": True}
    assert fake_provider.chats[0].body["stream_options"] == options


async def test_the_stored_decision_is_the_one_that_was_made(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    plane.model(one, "dear", input=9 * MICRO)
    plane.model(one, "fake")
    plane.rules(aliases={"any": Alias(targets=("one/dear", "one/fake"))})

    await plane.client.chat.completions.create(model="any", messages=HELLO, max_tokens=50)

    outcome = plane.records.outcomes[0]
    decision = msgspec.convert(outcome.decision, Decision)
    assert decision.id == outcome.id
    assert decision.chain == ("any",)
    assert decision.winner is not None
    assert decision.winner.reference == "one/fake"
    assert decision.request.max_tokens == 50
    assert [candidate.reference for candidate in decision.candidates] == ["one/fake", "one/dear"]


async def test_an_unknown_price_makes_an_unknown_cost(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake", input=None)

    raw = await plane.client.chat.completions.with_raw_response.create(
        model="one/fake", messages=HELLO
    )

    assert "x-fairlead-cost" not in raw.headers
    assert plane.records.outcomes[0].cost is None
    assert plane.records.outcomes[0].usage.output == 8


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["fake-nousage", "fake-absurd"])
async def test_without_a_figure_that_can_be_true_usage_is_estimated(
    plane: Plane, fake_provider: FakeProvider, model: str, stream: bool
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), model)

    answer: Any = await plane.client.chat.completions.create(
        model="auto", messages=HELLO, stream=stream
    )
    if stream:
        async for _ in answer:
            pass

    (outcome,) = await plane.records.settled()
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert outcome.status is UsageStatus.OK
    assert outcome.usage.input == outcome.decision.request.input_tokens
    assert 8 <= outcome.usage.output <= 32
    flaw = "usage impossible" if model == "fake-absurd" else None
    assert outcome.attempts[0].reason == flaw
    assert outcome.cost == outcome.usage.input * 1_000 + outcome.usage.output * 4_000


async def test_a_provider_without_the_terminal_event_is_whole_by_its_finish_reason(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-nodone")

    stream = await plane.client.chat.completions.create(model="auto", messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]

    assert chunks[-1].choices[0].finish_reason == "stop"
    assert (await plane.records.settled())[0].status is UsageStatus.OK


async def test_upstream_connections_are_used_again(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake")

    for _ in range(3):
        stream = await plane.client.chat.completions.create(
            model="auto", messages=HELLO, stream=True
        )
        async for _ in stream:
            pass
        await fake_provider.idle()
        await plane.client.chat.completions.create(model="auto", messages=HELLO)

    assert {entry.connection for entry in fake_provider.chats} == {1}


async def test_a_model_that_does_not_take_our_asking_for_usage_is_asked_without(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-nooptions")

    for _ in range(2):
        async for _ in await plane.client.chat.completions.create(
            model="auto", messages=HELLO, stream=True
        ):
            pass

    sent = ["stream_options" in chat.body for chat in fake_provider.chats]
    assert sent == [True, False, False]
    first, second = await plane.records.settled(2)
    assert [attempt.outcome for attempt in first.attempts] == ["REJECTED", "OK"]
    assert [attempt.outcome for attempt in second.attempts] == ["OK"]
    assert second.usage_source is UsageSource.ESTIMATED
