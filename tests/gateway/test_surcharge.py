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
ADVISOR: Any = {"type": "advisor_20260301", "name": "advisor", "model": "dear"}
CODE: Any = {"type": "code_execution_20260521", "name": "code_execution"}
NAMED: Any = {"type": "custom", "name": "web_search_2", "input_schema": {"type": "object"}}
COUNTS = "SELECT count(*) FILTER (WHERE cost IS NULL) || ' ' || count(*) FROM llm_usage_logs"
PLAIN: Any = {"model": "any", "messages": HELLO, "max_tokens": 9}


def _at(type: ProviderType) -> Any:
    return deployment("p/m", price(1.0, 1.0), at=provider("p", type=type))


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"service_tier": "priority"}, ["service_tier"]),
        ({"service_tier": "flex", "audio": {}}, ["audio", "service_tier"]),
        ({"models": ["dear/one"]}, ["models"]),
        ({"plugins": [{"id": "web"}]}, ["plugins"]),
        ({"web_search_options": {}}, ["web_search_options"]),
        ({"service_tier": "auto", "models": [], "plugins": None, "modalities": ["text"]}, []),
    ],
)
@pytest.mark.parametrize("bounded", [False, True])
def test_fields_of_chat(more: Any, names: list[str], bounded: bool) -> None:
    request = completions.Completion(ChatRequest.decode(orjson.dumps(PLAIN | more)))
    openai_, others = _at(ProviderType.OPENAI), (ProviderType.ANTHROPIC, ProviderType.GOOGLE)
    assert list(request.surcharges(openai_, bounded=bounded)) == names
    assert all(request.surcharges(_at(type), bounded=bounded) == () for type in others)
    assert not request.is_at_list


@pytest.mark.parametrize(
    ("more", "names", "told"),
    [
        ({"speed": "fast"}, ["speed"], []),
        ({"inference_geo": "us", "fallbacks": [{}]}, ["fallbacks", "inference_geo"], []),
        ({"tools": [NAMED, SEARCH, ADVISOR]}, [], ["tools[1]", "tools[2]"]),
        ({"tools": [CODE]}, ["tools[0]"], []),
        ({"tools": [NAMED], "speed": "standard", "inference_geo": None}, [], []),
    ],
)
def test_fields_of_messages(more: Any, names: list[str], told: list[str]) -> None:
    """What is told of by the answer is asked for where the money is bounded."""
    request = messages.decode(orjson.dumps(PLAIN | more), {})
    anthropic_ = _at(ProviderType.ANTHROPIC)
    assert list(request.surcharges(anthropic_, bounded=False)) == names
    assert list(request.surcharges(anthropic_, bounded=True)) == names + told
    assert request.surcharges(_at(ProviderType.OPENAI), bounded=True) == ()
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
            for name in ("fake", "fake-s2"):
                till.plane.model(
                    made,
                    name,
                    input=3 * MICRO,
                    output=15 * MICRO,
                    capabilities=frozenset(Capability),
                )
        yield till


def _claude(till: Paying) -> anthropic.AsyncAnthropic:
    origin = till.plane.base_url.removesuffix("/v1")
    return anthropic.AsyncAnthropic(base_url=origin, api_key=KEY, max_retries=0)


async def _dear(till: Paying, **more: Any) -> Any:
    return await till.plane.client.chat.completions.create(
        model="one/fake", messages=HELLO, **({"service_tier": "priority"} | more)
    )


@pytest.mark.parametrize("beside", [{}, {"service_tier": "auto", "web_search_options": {}}])
async def test_what_is_not_on_the_list_is_a_cost_that_is_not_known(
    till: Paying, beside: Any
) -> None:
    answer = await _dear(till, **beside)
    plain = await _dear(till, service_tier="auto")
    await till.settle()

    assert (answer.usage.model_extra["cost"], plain.usage.model_extra["cost"]) == (None, 0.000126)
    assert await one(till.database, COUNTS) == "1 2"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "cost"), [("fake", 0.000126), ("fake-s2", None)])
async def test_a_search_that_was_offered_is_priced_as_nothing_only_where_none_was_made(
    till: Paying, model: str, cost: float | None, stream: bool
) -> None:
    asked = PLAIN | {"model": f"two/{model}", "tools": [SEARCH], "stream": stream}
    async with _claude(till) as claude:
        answer = await claude.messages.create(**asked)
        if stream:
            parts = [part async for part in answer]
            usage = next(part.usage for part in reversed(parts) if part.type == "message_delta")
        else:
            usage = answer.usage
    await till.settle()

    assert usage.model_extra["cost"] == cost
    searches = usage.server_tool_use and usage.server_tool_use.web_search_requests
    assert searches == (None if cost else 2)
    assert await one(till.database, COUNTS) == ("0 1" if cost else "1 1")


async def test_what_is_not_on_the_list_is_not_served_on_credit(
    till: Paying, fake_provider: FakeProvider
) -> None:
    till.plane.credits()
    with pytest.raises(openai.UnprocessableEntityError) as chat:
        await _dear(till)
    async with _claude(till) as claude:
        with pytest.raises(anthropic.UnprocessableEntityError) as message:
            await claude.messages.create(**PLAIN | {"model": "two/fake", "tools": [SEARCH]})
    await till.settle()

    assert "`service_tier` is billed beside the list price" in str(chat.value)
    assert "`tools[0]` is billed beside the list price" in str(message.value)
    assert fake_provider.chats == []
    assert await wallet(till.database, PERSON) == (DOLLAR, 0, False)
