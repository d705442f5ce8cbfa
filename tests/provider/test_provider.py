"""The fake provider keeps its word: with the official SDK, and in its faults."""

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionUserMessageParam

from tests.provider.behaviour import Fault, parse
from tests.provider.server import FakeProvider

HELLO: ChatCompletionUserMessageParam = {"role": "user", "content": "one two three"}


@pytest.fixture
async def client(fake_provider: FakeProvider) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=fake_provider.base_url, api_key="any", max_retries=0
    ) as client:
        yield client


async def _streamed(client: openai.AsyncOpenAI, model: str) -> list[str]:
    stream = await client.chat.completions.create(model=model, messages=[HELLO], stream=True)
    return [c.choices[0].delta.content or "" async for c in stream if c.choices]


def test_a_name_composes_behaviours() -> None:
    behaviour = parse("cheap-t50-g10-n64-i100-o20-fail429r2x1")
    assert behaviour is not None
    assert (behaviour.first_byte, behaviour.gap, behaviour.chunks) == (50, 10, 64)
    assert (behaviour.input_tokens, behaviour.output_tokens) == (100, 20)
    assert (behaviour.fault, behaviour.at) == (Fault.FAIL, 429)
    assert (behaviour.retry_after, behaviour.times) == (2, 1)


@pytest.mark.parametrize("name", ["fake-typo", "fake-", "", "-t5", "fake-fail5", "fake-cut"])
def test_a_name_with_a_part_that_means_nothing_is_no_model(name: str) -> None:
    assert parse(name) is None


async def test_the_official_sdk_reads_a_whole_answer(
    fake_provider: FakeProvider, client: openai.AsyncOpenAI
) -> None:
    answer = await client.chat.completions.create(model="fake-n3-c1", messages=[HELLO])
    assert answer.choices[0].message.content == "word0 word1 word2 "
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 3)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 1
    [entry] = fake_provider.log
    assert (entry.status, entry.finished, entry.body["messages"]) == (200, True, [HELLO])
    assert entry.usage == answer.usage.model_dump(exclude_unset=True)


async def test_the_official_sdk_reads_a_stream_with_usage(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="fake-n2-i100-o20",
        messages=[HELLO],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert [len(chunk.choices) for chunk in chunks] == [1, 1, 1, 1, 0]
    assert [chunk.usage is None for chunk in chunks] == [True, True, True, True, False]
    assert all("usage" in chunk.model_fields_set for chunk in chunks)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 120
    assert chunks[3].choices[0].finish_reason == "stop"


async def test_usage_is_not_streamed_unless_asked_for(
    fake_provider: FakeProvider, client: openai.AsyncOpenAI
) -> None:
    assert await _streamed(client, "fake-n2") == ["", "word0 ", "word1 ", ""]
    await fake_provider.idle()
    assert fake_provider.log[0].usage is None


async def test_max_tokens_cuts_the_answer(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="fake-n9", messages=[HELLO], max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


async def test_echo_and_tools_answer_with_what_was_sent(client: openai.AsyncOpenAI) -> None:
    assert "".join(await _streamed(client, "fake-echo")) == "one two three "
    tool: ChatCompletionFunctionToolParam = {
        "type": "function",
        "function": {"name": "time", "parameters": {}},
    }
    answer = await client.chat.completions.create(
        model="fake-tools", messages=[HELLO], tools=[tool]
    )
    [call] = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("time", '{"city":"Bern"}')


async def test_a_wrong_key_is_refused_in_openais_shape() -> None:
    async with (
        FakeProvider(key="right", models=["a", "b"]) as provider,
        openai.AsyncOpenAI(base_url=provider.base_url, api_key="wrong", max_retries=0) as wrong,
        openai.AsyncOpenAI(base_url=provider.base_url, api_key="right") as right,
    ):
        with pytest.raises(openai.AuthenticationError) as refused:
            await wrong.models.list()
        assert refused.value.code == "invalid_api_key"
        assert [model.id async for model in right.models.list()] == ["a", "b"]


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fake-fail500", openai.InternalServerError),
        ("fake-fail503", openai.InternalServerError),
        ("fake-fail429", openai.RateLimitError),
        ("fake-contextlength", openai.BadRequestError),
        ("fake-contentfilter", openai.BadRequestError),
        ("fake-reset", openai.APIConnectionError),
        ("fake-unknown", openai.NotFoundError),
        ("fake-error200", openai.APIError),
        ("fake-inband5", openai.APIError),
        ("fake-cut5", Exception),
        ("fake-rst5", Exception),
        ("fake-malformed5", Exception),
    ],
)
async def test_the_official_sdk_sees_the_fault(
    client: openai.AsyncOpenAI, model: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await _streamed(client, model)


async def test_a_fault_with_a_count_is_over_after_it(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as refused:
        await _streamed(client, "fake-fail429r2x1")
    assert refused.value.response.headers["retry-after"] == "2"
    assert len(await _streamed(client, "fake-fail429r2x1")) == 10


async def test_the_log_says_when_the_client_left(
    fake_provider: FakeProvider, client: openai.AsyncOpenAI
) -> None:
    stream = await client.chat.completions.create(
        model="fake-stall2", messages=[HELLO], stream=True
    )
    await fake_provider.until(lambda provider: provider.log[0].chunks == 2)
    await stream.close()
    await fake_provider.idle()
    [entry] = fake_provider.log
    assert (entry.aborted, entry.finished, entry.chunks, entry.usage) == (True, False, 2, None)


async def test_silence_lasts_until_the_client_leaves(
    fake_provider: FakeProvider, client: openai.AsyncOpenAI
) -> None:
    call = asyncio.create_task(_streamed(client, "fake-silent"))
    await fake_provider.arrived(1)
    call.cancel()
    await fake_provider.idle()
    assert (fake_provider.log[0].aborted, fake_provider.log[0].status) == (True, None)
