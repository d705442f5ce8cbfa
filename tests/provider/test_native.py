"""The fake provider speaks Anthropic's and Google's formats: their own clients understand it."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from google import genai
from google.genai import errors, types

from tests.provider.embedding import vector
from tests.provider.server import FakeProvider

HELLO: Any = [{"role": "user", "content": "one two three"}]
THOUGHT = {"thinking": "Hm. ", "signature": "signed-by-the-fake"}
CLAUDE_TOOLS: Any = [{"name": name, "input_schema": {"type": "object"}} for name in ("a", "b")]
GEMINI_TOOLS = types.Tool(
    function_declarations=[types.FunctionDeclaration(name=name) for name in ("a", "b")]
)


@pytest.fixture
async def claude(fake_provider: FakeProvider) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        base_url=fake_provider.origin, api_key="any", max_retries=0
    ) as client:
        yield client


@pytest.fixture
async def gemini(fake_provider: FakeProvider) -> AsyncIterator[Any]:
    client = genai.Client(
        api_key="any", http_options=types.HttpOptions(base_url=fake_provider.origin)
    )
    yield client.aio.models
    await client.aio.aclose()


async def test_anthropics_client_reads_the_same_answer_whole_and_streamed(
    fake_provider: FakeProvider, claude: anthropic.AsyncAnthropic
) -> None:
    asked: Any = {"model": "fake-n3-i100-c40-w10-o20-r5", "max_tokens": 99, "messages": HELLO}

    whole = await claude.messages.create(**asked)
    async with claude.messages.stream(**asked) as stream:
        streamed = await stream.get_final_message()

    assert [block.type for block in whole.content] == ["thinking", "text"]
    for content in (whole.content, streamed.content):
        assert content[0].model_dump(include={"thinking", "signature"}) == THOUGHT
        assert content[1].model_dump(include={"text"}) == {"text": "word0 word1 word2 "}
    assert streamed.stop_reason == whole.stop_reason == "end_turn"
    for usage in (whole.usage, streamed.usage):
        assert (usage.input_tokens, usage.output_tokens) == (50, 20)
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (40, 10)
        assert usage.output_tokens_details is not None
        assert usage.output_tokens_details.thinking_tokens == 5
    assert [entry.finished for entry in fake_provider.chats] == [True, True]


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropics_client_reads_parallel_tool_calls(
    claude: anthropic.AsyncAnthropic, stream: bool
) -> None:
    asked: Any = {"model": "fake-tools2", "max_tokens": 99, "messages": HELLO}
    if stream:
        async with claude.messages.stream(**asked, tools=CLAUDE_TOOLS) as events:
            answer: Any = await events.get_final_message()
    else:
        answer = await claude.messages.create(**asked, tools=CLAUDE_TOOLS)

    calls = [(block.name, block.input) for block in answer.content]
    assert calls == [("a", {"city": "Bern"}), ("b", {"city": "Bern"})]
    assert answer.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fake-fail429", anthropic.RateLimitError),
        ("fake-fail529", anthropic.APIStatusError),
        ("fake-contextlength", anthropic.BadRequestError),
        ("fake-contentfilter", anthropic.BadRequestError),
        ("fake-typo", anthropic.NotFoundError),
        ("fake-inband2", anthropic.APIStatusError),
        ("fake-error200", anthropic.APIStatusError),
        ("fake-cut2", Exception),
    ],
)
async def test_anthropics_client_sees_the_fault(
    claude: anthropic.AsyncAnthropic, model: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        async with claude.messages.stream(model=model, max_tokens=9, messages=HELLO) as stream:
            await stream.get_final_message()


async def test_a_field_anthropic_does_not_know_is_refused(
    claude: anthropic.AsyncAnthropic,
) -> None:
    with pytest.raises(anthropic.BadRequestError):
        await claude.messages.create(
            model="fake", max_tokens=9, messages=HELLO, extra_body={"seed": 1}
        )


async def test_googles_client_reads_the_same_answer_whole_and_streamed(
    fake_provider: FakeProvider, gemini: Any
) -> None:
    asked = {"model": "fake-n3-i100-c40-o20-r5", "contents": "one two three"}

    whole = await gemini.generate_content(**asked)
    pieces = [piece async for piece in await gemini.generate_content_stream(**asked)]

    assert whole.text == "".join(piece.text for piece in pieces) == "word0 word1 word2 "
    for usage in (whole.usage_metadata, pieces[-1].usage_metadata):
        assert usage.prompt_token_count == 100
        assert usage.cached_content_token_count == 40
        assert (usage.candidates_token_count, usage.thoughts_token_count) == (15, 5)
    finishes = [piece.candidates[0].finish_reason for piece in pieces]
    assert finishes == [None, None, None, types.FinishReason.STOP]
    assert [entry.finished for entry in fake_provider.chats] == [True, True]


async def test_googles_client_reads_parallel_tool_calls(gemini: Any) -> None:
    asked = {
        "model": "fake-tools2-r1",
        "contents": "x",
        "config": types.GenerateContentConfig(tools=[GEMINI_TOOLS]),
    }

    whole = await gemini.generate_content(**asked)
    pieces = [piece async for piece in await gemini.generate_content_stream(**asked)]

    streamed = [call for piece in pieces for call in piece.function_calls or ()]
    for calls in (whole.function_calls, streamed):
        assert [(call.name, call.args) for call in calls] == [
            ("a", {"city": "Bern"}),
            ("b", {"city": "Bern"}),
        ]
    assert whole.candidates[0].content.parts[0].thought_signature == b"signed"


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("fake-fail429", errors.ClientError),
        ("fake-fail503", errors.ServerError),
        ("fake-contextlength", errors.ClientError),
        ("fake-typo", errors.ClientError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_googles_client_sees_the_fault(
    gemini: Any, model: str, kind: type[Exception], stream: bool
) -> None:
    with pytest.raises(kind):
        await _pieces(gemini, model, stream)


async def _pieces(gemini: Any, model: str, stream: bool) -> list[Any]:
    if not stream:
        return [await gemini.generate_content(model=model, contents="x")]
    events = await gemini.generate_content_stream(model=model, contents="x")
    return [piece async for piece in events]


async def test_googles_client_sees_a_blocked_prompt(gemini: Any) -> None:
    answer = await gemini.generate_content(model="fake-contentfilter", contents="x")
    assert answer.prompt_feedback.block_reason == types.BlockedReason.SAFETY
    assert answer.candidates is None


async def test_a_wrong_key_is_refused_in_the_formats_own_shape() -> None:
    async with FakeProvider(key="right") as provider:
        claude = anthropic.AsyncAnthropic(base_url=provider.origin, api_key="wrong", max_retries=0)
        options = types.HttpOptions(base_url=provider.origin)
        gemini = genai.Client(api_key="wrong", http_options=options).aio

        with pytest.raises(anthropic.AuthenticationError):
            await claude.messages.create(model="fake", max_tokens=1, messages=HELLO)
        with pytest.raises(errors.ClientError) as refused:
            await gemini.models.generate_content(model="fake", contents="x")

        assert refused.value.status == "UNAUTHENTICATED"
        assert [entry.status for entry in provider.chats] == [401, 401]
        await claude.close()
        await gemini.aclose()


async def test_googles_client_reads_embeddings(fake_provider: FakeProvider, gemini: Any) -> None:
    answer = await gemini.embed_content(
        model="fake-i7",
        contents=["one", "two three"],
        config=types.EmbedContentConfig(output_dimensionality=3),
    )

    vectors = [each.values for each in answer.embeddings]
    assert vectors == [vector("one", 3), vector("two three", 3)]
    assert answer.usage_metadata.prompt_token_count == 7
