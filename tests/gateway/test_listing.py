"""Lists of models as providers send them: names, what they can do, and exact prices or none."""

from typing import Any

import pytest

from domain.listed import ListedModel, ListedPrice
from domain.snapshot import Capability, Modality, ProviderType
from gateway.listing import listed_models

OPENROUTER = {
    "id": "anthropic/claude-sonnet-4",
    "name": "Anthropic: Claude Sonnet 4",
    "context_length": 200_000,
    "architecture": {
        "input_modalities": ["text", "image", "file", "smell"],
        "output_modalities": ["text"],
    },
    "pricing": {
        "prompt": "0.000003",
        "completion": "0.000015",
        "request": "0",
        "image": "0.0048",
        "input_cache_read": "0.0000003",
        "input_cache_write": "0.00000375",
    },
    "top_provider": {"context_length": 200_000, "max_completion_tokens": 64_000},
    "supported_parameters": ["tools", "temperature", "reasoning", "structured_outputs"],
}


def one(kind: ProviderType, row: dict[str, Any]) -> ListedModel:
    [found] = listed_models(kind, {"data": [row]})
    return found


def price(kind: ProviderType, **told: Any) -> ListedPrice | None:
    return one(kind, {"id": "m", "pricing": told}).price


def test_openrouter_tells_everything() -> None:
    assert one(ProviderType.OPENROUTER, OPENROUTER) == ListedModel(
        "anthropic/claude-sonnet-4",
        "Anthropic: Claude Sonnet 4",
        200_000,
        64_000,
        (Modality.TEXT, Modality.IMAGE, Modality.PDF),
        (Modality.TEXT,),
        (
            Capability.STREAMING,
            Capability.TOOLS,
            Capability.REASONING,
            Capability.JSON_SCHEMA,
            Capability.VISION,
        ),
        ListedPrice(3_000_000, 15_000_000, 300_000, 3_750_000),
    )


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"prompt": "0.000001"},
        {"prompt": "-1", "completion": "-1"},
        {"prompt": "NaN", "completion": "0"},
        {"prompt": "1e400", "completion": "0"},
        {"prompt": "0.0000000000001", "completion": "0.000001"},
        {"prompt": True, "completion": "0.000001"},
        {"prompt": "0.000001", "completion": "cheap"},
        {"prompt": "0.000001", "completion": "0.000001", "request": "0.01"},
    ],
)
def test_a_price_that_cannot_be_said_by_the_token_stays_unknown(told: dict[str, Any]) -> None:
    assert price(ProviderType.OPENROUTER, **told) is None


def test_free_is_a_price_where_the_provider_says_so() -> None:
    assert price(ProviderType.OPENROUTER, prompt="0", completion="0") == ListedPrice(0, 0)


def test_together_prices_by_the_million() -> None:
    found = price(ProviderType.TOGETHER, input=0.18, output=0.59, hourly=0)
    assert found == ListedPrice(180_000, 590_000)
    assert price(ProviderType.TOGETHER, input=0, output=0, hourly=0) is None


def test_hugging_face_names_each_route_with_its_own_price() -> None:
    route = {
        "provider": "novita",
        "status": "live",
        "context_length": 131_072,
        "pricing": {"input": 0.55, "output": 2.2},
    }
    dead = {**route, "provider": "gone", "status": "error"}
    unpriced = {"provider": "groq", "status": "live"}
    row = {"id": "zai/glm", "providers": [route, dead, unpriced, None]}
    assert listed_models(ProviderType.HUGGINGFACE, {"data": [row]}) == [
        ListedModel(
            "zai/glm:novita", context_length=131_072, price=ListedPrice(550_000, 2_200_000)
        ),
        ListedModel("zai/glm:groq"),
    ]


def test_others_tell_no_price_and_in_their_own_words() -> None:
    google = {
        "name": "models/gemini-2.5-pro",
        "displayName": "Gemini 2.5 Pro",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
    }
    assert listed_models(ProviderType.GOOGLE, {"models": [google]}) == [
        ListedModel("gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536)
    ]
    told = {"input": 1, "output": 2, "prompt": "1", "completion": "2"}
    assert price(ProviderType.OPENAI, **told) is None


@pytest.mark.parametrize(
    "row",
    [
        {"id": "two words"},
        {"id": "line\nbreak"},
        {"id": "x" * 201},
        {"id": ""},
        {"id": 5},
        {},
        "m",
        None,
    ],
)
def test_what_has_no_name_that_could_be_asked_for_is_left_out(row: Any) -> None:
    assert listed_models(ProviderType.OPENAI, [row]) == []


def test_odd_values_are_as_good_as_none() -> None:
    row = {
        "id": "m",
        "display_name": "\x00 \n",
        "context_length": -1,
        "architecture": [],
        "pricing": 5,
        "top_provider": None,
        "supported_parameters": [None, {}, ["tools"]],
    }
    assert one(ProviderType.OPENROUTER, row) == ListedModel(
        "m", capabilities=(Capability.STREAMING,)
    )


@pytest.mark.parametrize("answer", [None, 5, "list", {}, {"data": {}}])
def test_what_is_no_list_is_told(answer: Any) -> None:
    with pytest.raises(ValueError, match="no list"):
        listed_models(ProviderType.OPENAI, answer)
