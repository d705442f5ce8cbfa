"""What is billed beside the list price: never charged as if it were not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import orjson
import pytest

from db.session import Database
from domain.snapshot import Capability, ProviderType
from gateway.anthropic import messages
from gateway.openai import completions
from gateway.openai.request import ChatRequest
from tests.db.money import fund, one, wallet
from tests.domain.routing.catalogue import deployment, price, provider
from tests.gateway.plane import KEY, MICRO, identity
from tests.gateway.purse import Paying, paying
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

PERSON = identity("user")
DOLLAR = 10**9
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search"}
NAMED: Any = {"type": "custom", "name": "web_search_2", "input_schema": {"type": "object"}}
PLAIN: Any = {"model": "any", "messages": HELLO, "max_tokens": 9}


def _at(type: ProviderType) -> Any:
    return deployment("p/m", price(1.0, 1.0), at=provider("p", type=type))


@pytest.mark.parametrize(
    ("more", "rates", "fees"),
    [
        ({"service_tier": "priority"}, ["service_tier"], []),
        ({"service_tier": "flex", "audio": {}}, ["audio", "service_tier"], []),
        ({"models": ["dear/one"]}, ["models"], []),
        ({"plugins": [{"id": "web"}]}, [], ["plugins"]),
        ({"web_search_options": {}}, [], ["web_search_options"]),
        ({"service_tier": "auto", "models": [], "plugins": None, "modalities": ["text"]}, [], []),
    ],
)
def test_fields_of_chat(more: Any, rates: list[str], fees: list[str]) -> None:
    request = completions.Completion(ChatRequest.decode(orjson.dumps(PLAIN | more)))
    openai_, others = _at(ProviderType.OPENAI), (ProviderType.ANTHROPIC, ProviderType.GOOGLE)
    assert list(request.surcharges(openai_, fees=False)) == rates
    assert list(request.surcharges(openai_, fees=True)) == rates + fees
    assert all(request.surcharges(_at(type), fees=True) == () for type in others)
    assert not request.is_at_list


@pytest.mark.parametrize(
    ("more", "rates", "fees"),
    [
        ({"speed": "fast"}, ["speed"], []),
        ({"inference_geo": "us", "fallbacks": [{}]}, ["fallbacks", "inference_geo"], []),
        ({"tools": [NAMED, SEARCH]}, [], ["tools[1]"]),
        ({"tools": [NAMED], "speed": "standard", "inference_geo": None}, [], []),
    ],
)
def test_fields_of_messages(more: Any, rates: list[str], fees: list[str]) -> None:
    request = messages.decode(orjson.dumps(PLAIN | more), {})
    anthropic_ = _at(ProviderType.ANTHROPIC)
    assert list(request.surcharges(anthropic_, fees=False)) == rates
    assert list(request.surcharges(anthropic_, fees=True)) == rates + fees
    assert request.surcharges(_at(ProviderType.OPENAI), fees=True) == ()
    assert not request.is_at_list


def test_most_requests_need_no_look() -> None:
    body = orjson.dumps(PLAIN | {"stream": True, "temperature": 0})
    assert completions.Completion(ChatRequest.decode(body)).is_at_list
    assert messages.decode(body, {}).is_at_list


@pytest.fixture
async def till(
    database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> AsyncIterator[Paying]:
    """The wallet holds a dollar, and a model costs $3 and $15."""
    await fund(database, PERSON, DOLLAR)
    async with paying(database, tmp_path, fake_provider.host_port) as till:
        for slug, base_url, type in (
            ("one", fake_provider.base_url, ProviderType.OPENAI),
            ("two", fake_provider.base_url, ProviderType.ANTHROPIC),
        ):
            made = till.plane.provider(slug, base_url, keys=("sk",), type=type)
            till.plane.model(
                made,
                "fake",
                input=3 * MICRO,
                output=15 * MICRO,
                capabilities=frozenset(Capability),
            )
        yield till


async def _dear(till: Paying, **more: Any) -> Any:
    return await till.plane.client.chat.completions.create(
        model="one/fake", messages=HELLO, **({"service_tier": "priority"} | more)
    )


async def test_a_rate_that_is_not_on_the_list_is_a_cost_that_is_not_known(till: Paying) -> None:
    answer = await _dear(till)
    plain = await _dear(till, service_tier="auto")
    await till.settle()

    assert (answer.usage.model_extra["cost"], plain.usage.model_extra["cost"]) == (None, 0.000126)
    counts = "SELECT count(*) FILTER (WHERE cost IS NULL) || ' ' || count(*) FROM llm_usage_logs"
    assert await one(till.database, counts) == "1 2"


async def test_what_is_not_on_the_list_is_not_served_on_credit(
    till: Paying, fake_provider: FakeProvider
) -> None:
    till.plane.credits()
    claude = anthropic.AsyncAnthropic(
        base_url=till.plane.base_url.removesuffix("/v1"), api_key=KEY, max_retries=0
    )
    with pytest.raises(openai.UnprocessableEntityError) as chat:
        await _dear(till)
    async with claude:
        with pytest.raises(anthropic.UnprocessableEntityError) as message:
            await claude.messages.create(**PLAIN | {"model": "two/fake", "tools": [SEARCH]})
    await till.settle()

    assert "`service_tier` is billed beside the list price" in str(chat.value)
    assert "`tools[0]` is billed beside the list price" in str(message.value)
    assert fake_provider.chats == []
    assert await wallet(till.database, PERSON) == (DOLLAR, 0, False)
