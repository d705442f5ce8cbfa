"""An answer that is shortened to what is left leaves room to think, and to say something."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anthropic
import msgspec
import pytest
from anthropic import AsyncAnthropic

from db.session import Database
from domain.snapshot import Capability, Deployment, Provider, ProviderType
from gateway.openai.completions import decode
from tests.db.money import fund
from tests.gateway.messages.asking import HELLO
from tests.gateway.plane import KEY, MICRO, identity
from tests.gateway.purse import Paying, paying
from tests.provider.server import FakeProvider

CLAMP = {"x-fairlead-clamp": "true"}
THINKING = {"type": "enabled", "budget_tokens": 4_000}
TOKEN = 15_000
"""Nano-dollars for one of output."""


@pytest.fixture
async def till(
    database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> AsyncIterator[Paying]:
    async with paying(database, tmp_path, fake_provider.host_port) as till:
        till.plane.credits()
        one = till.plane.provider(
            "one", fake_provider.base_url, keys=("sk",), type=ProviderType.ANTHROPIC
        )
        till.plane.model(
            one,
            "fake",
            input=1,
            output=15 * MICRO,
            capabilities=frozenset({Capability.STREAMING, Capability.REASONING}),
        )
        yield till


async def _ask(till: Paying, **more: Any) -> Any:
    asked: Any = {"max_tokens": 8_000, "extra_headers": CLAMP} | more
    url = till.plane.base_url.removesuffix("/v1")
    async with AsyncAnthropic(base_url=url, api_key=KEY, max_retries=0) as claude:
        return await claude.messages.create(model="one/fake", messages=HELLO, **asked)


@pytest.mark.parametrize(
    ("tokens", "budget"),
    [(6_000, 4_000), (4_001, 4_000), (4_000, 3_999), (2_000, 1_999), (1_025, 1_024)],
)
async def test_thinking_is_kept_below_the_limit(
    till: Paying, fake_provider: FakeProvider, tokens: int, budget: int
) -> None:
    await fund(till.database, identity("user"), tokens * TOKEN + 100)

    await _ask(till, thinking=THINKING)

    sent = fake_provider.chats[0].body
    assert sent["max_tokens"] == tokens
    assert sent["thinking"] == THINKING | {"budget_tokens": budget}


async def test_what_leaves_no_room_to_think_is_refused_by_name(
    till: Paying, fake_provider: FakeProvider
) -> None:
    await fund(till.database, identity("user"), 1_024 * TOKEN + 100)

    with pytest.raises(anthropic.BadRequestError) as error:
        await _ask(till, thinking=THINKING)

    assert "`thinking.budget_tokens` within 1024 tokens" in str(error.value)
    assert fake_provider.chats == []
    await till.settle()
    answer = await _ask(till)
    assert fake_provider.chats[0].body["max_tokens"] == 1_024
    assert answer.usage.charged == answer.usage.cost


async def test_a_budget_for_several_answers_stays_as_it_is(
    till: Paying, fake_provider: FakeProvider
) -> None:
    await fund(till.database, identity("user"), 3_000 * TOKEN + 100)
    between = {"anthropic-beta": "interleaved-thinking-2025-05-14"}
    more: Any = {"max_tokens": 3_500, "extra_headers": CLAMP | between}

    await _ask(till, thinking=THINKING, **more)

    sent = fake_provider.chats[0].body
    assert (sent["max_tokens"], sent["thinking"]) == (3_000, THINKING)


@pytest.mark.parametrize(("tokens", "budget"), [(8_000, 4_096), (4_096, 4_095), (1_025, 1_024)])
def test_effort_asked_for_in_openais_words_is_kept_below_it_too(tokens: int, budget: int) -> None:
    url, key = "https://api.anthropic.com/v1", identity("anthropic")
    provider = Provider(key, "anthropic", ProviderType.ANTHROPIC, url)
    name = "claude-sonnet-4-5"
    deployment = Deployment(identity(name), provider, name, name, name)
    asked = {"model": name, "messages": HELLO, "max_tokens": 9_000, "reasoning_effort": "medium"}

    capped = decode(msgspec.json.encode(asked), {}).capped(deployment, tokens)
    sent = msgspec.json.decode(capped.outbound(deployment, None, asks_usage=False).body)

    assert sent["max_tokens"] == tokens
    assert sent["thinking"]["budget_tokens"] == budget
