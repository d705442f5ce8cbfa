"""Embeddings through OpenAI's client: OpenAI's format in, two formats out, paid for by input."""

from typing import Any

import httpx2
import openai
import pytest

from domain.ruleset import Alias
from domain.snapshot import Deployment, Modality, ProviderType
from domain.usage import TokenUsage, UsageSource, UsageStatus
from tests.gateway.adapter.formats import PATHS
from tests.gateway.plane import KEY, MICRO, Plane
from tests.provider.embedding import vector
from tests.provider.server import FakeProvider

FORMATS = [ProviderType.CUSTOM, ProviderType.GOOGLE]
every_format = pytest.mark.parametrize("type", FORMATS)
TEXTS = ["one", "two three"]


def serve(
    plane: Plane, provider: FakeProvider, type: ProviderType, model: str, *, slug: str = "one"
) -> Deployment:
    """A deployment that gives embeddings, at 2 $ for a million tokens of input."""
    made = plane.provider(slug, provider.origin + PATHS[type], keys=("sk",), type=type)
    outputs = frozenset({Modality.EMBEDDING})
    return plane.model(made, model, input=2 * MICRO, output=8 * MICRO, outputs=outputs)


@every_format
@pytest.mark.parametrize("form", ["float", "base64", None])
async def test_embeddings_come_in_either_encoding(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, form: Any
) -> None:
    serve(plane, fake_provider, type, "fake-i1000")
    asked: Any = {} if form is None else {"encoding_format": form}

    raw = await plane.client.embeddings.with_raw_response.create(
        model="auto", input=TEXTS, dimensions=3, **asked
    )

    answer = raw.parse()
    vectors: list[Any] = [each.embedding for each in answer.data]
    if form != "base64":
        # Unasked, the client asks for base64 and reads it.
        assert vectors == [vector(text, 3) for text in TEXTS]
    else:
        assert [len(v) for v in vectors] == [16, 16]
    assert [each.index for each in answer.data] == [0, 1]
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (1000, 1000)
    assert answer.usage.model_extra == {"cost": 0.002}
    assert raw.headers["x-fairlead-cost"] == "0.002"
    assert raw.headers["x-fairlead-provider"] == "one"
    [outcome] = await plane.records.settled()
    assert outcome.usage == TokenUsage(input=1000)
    assert (outcome.cost, outcome.status) == (2_000_000, UsageStatus.OK)
    assert outcome.decision is not None
    assert outcome.decision.candidates[0].expected_cost < 100_000


async def test_an_openai_provider_gets_the_request_as_it_came(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    serve(plane, fake_provider, ProviderType.CUSTOM, "fake")
    body: Any = {"input": [[1, 2, 3]], "user": "u", "encoding_format": "float"}

    await plane.client.embeddings.create(model="auto", **body)

    assert fake_provider.chats[0].body == {"model": "fake", **body}
    assert fake_provider.chats[0].path == "/v1/embeddings"


async def test_gemini_is_asked_in_its_own_words(plane: Plane, fake_provider: FakeProvider) -> None:
    serve(plane, fake_provider, ProviderType.GOOGLE, "fake")

    raw = await plane.client.embeddings.with_raw_response.create(
        model="auto", input="one", dimensions=2, user="u"
    )

    assert raw.headers["x-fairlead-ignored"] == "user"
    [sent] = fake_provider.chats
    assert sent.path == "/v1beta/models/fake:batchEmbedContents"
    content = {"parts": [{"text": "one"}]}
    wanted = {"model": "models/fake", "content": content, "outputDimensionality": 2}
    assert sent.body == {"requests": [wanted]}


async def test_tokens_go_where_they_are_understood(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    serve(plane, fake_provider, ProviderType.GOOGLE, "fake")
    with pytest.raises(openai.BadRequestError) as refused:
        await plane.client.embeddings.create(model="auto", input=[1, 2])
    assert refused.value.param == "input"

    serve(plane, second_provider, ProviderType.CUSTOM, "spare", slug="two")
    plane.rules(aliases={"smart": Alias(targets=("one/fake",), fallbacks=("two/spare",))})
    await plane.client.embeddings.create(model="smart", input=[1, 2])
    assert fake_provider.chats == []
    assert second_provider.chats[0].body["input"] == [1, 2]


@every_format
@pytest.mark.parametrize("model", ["fake-nousage", "fake-absurd"])
async def test_without_a_figure_the_input_is_counted(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, model: str
) -> None:
    serve(plane, fake_provider, type, model)

    answer = await plane.client.embeddings.create(model="auto", input=TEXTS)

    [outcome] = await plane.records.settled()
    assert outcome.usage_source is UsageSource.ESTIMATED
    assert outcome.usage == TokenUsage(input=answer.usage.prompt_tokens)
    assert 3 <= outcome.usage.input <= 6
    assert answer.usage.model_extra is not None
    assert answer.usage.model_extra["estimated"] is True


@every_format
@pytest.mark.parametrize("fault", ["fail503", "fail429", "reset", "html", "gzip", "error200"])
async def test_another_provider_takes_over(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    type: ProviderType,
    fault: str,
) -> None:
    serve(plane, fake_provider, type, f"fake-{fault}")
    serve(plane, second_provider, type, "spare", slug="two")
    rules = Alias(targets=(f"one/fake-{fault}",), fallbacks=("two/spare",))
    plane.rules(aliases={"smart": rules})

    answer = await plane.client.embeddings.create(model="smart", input=TEXTS)

    assert len(answer.data) == 2
    [outcome] = await plane.records.settled()
    assert outcome.provider_slug == "two"


async def test_chat_and_embedding_models_are_not_taken_for_each_other(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = serve(plane, fake_provider, ProviderType.CUSTOM, "embedder").provider
    plane.model(one, "chatter")

    await plane.client.embeddings.create(model="auto", input="x")
    await plane.client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "x"}]
    )
    assert [chat.model for chat in fake_provider.chats] == ["embedder", "chatter"]

    with pytest.raises(openai.UnprocessableEntityError, match="do not take or give such content"):
        await plane.client.embeddings.create(model="one/chatter", input="x")
    with pytest.raises(openai.UnprocessableEntityError, match="do not take or give such content"):
        await plane.client.chat.completions.create(
            model="one/embedder", messages=[{"role": "user", "content": "x"}]
        )


async def test_anthropic_has_no_embeddings(plane: Plane, fake_provider: FakeProvider) -> None:
    serve(plane, fake_provider, ProviderType.ANTHROPIC, "fake")

    with pytest.raises(openai.BadRequestError, match="this type of provider has no embeddings"):
        await plane.client.embeddings.create(model="auto", input="x")

    assert fake_provider.log == []
    assert (await plane.records.settled())[0].cost == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": ["a", [1]]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
    ],
)
async def test_what_is_wrong_is_named(plane: Plane, fields: Any, param: str) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.post(
            f"{plane.base_url}/embeddings",
            headers={"authorization": f"Bearer {KEY}"},
            json={"model": "auto"} | fields,
        )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
