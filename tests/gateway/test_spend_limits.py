"""Spend per day and month, and the cost of one request: bounded, credits enforced or not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from sqlalchemy import text

from db.session import Database
from domain.limits import Limited, LimitOwner, Limits
from domain.snapshot import CreditsMode, KeyPolicy
from tests.db.money import check, fund, one, wallet
from tests.gateway.plane import MICRO, identity
from tests.gateway.purse import Paying, paying
from tests.gateway.test_credits import PERSON, SMALL, ask, refused
from tests.outage import outage
from tests.provider.server import FakeProvider

COST = 100 * 3_000 + 20 * 15_000


@pytest.fixture
async def till(
    database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> AsyncIterator[Paying]:
    """Credits are off."""
    async with paying(database, tmp_path, fake_provider.host_port) as till:
        one = till.plane.provider("one", fake_provider.base_url, keys=("sk-one",))
        till.plane.model(one, SMALL, input=3 * MICRO, output=15 * MICRO)
        yield till


def limited(till: Paying, *limits: tuple[LimitOwner, Limits]) -> None:
    found = tuple(Limited(kind, identity(kind.lower()), some) for kind, some in limits)
    till.plane.callers.caller = replace(till.plane.callers.caller, limits=found)


async def spent(database: Database) -> dict[str, tuple[int, int]]:
    """(spent, held) by kind and period."""
    async with database.read(None) as session:
        found = await session.execute(text("SELECT kind, period, spent, held FROM budgets"))
        return {f"{row.kind} {row.period}": (row.spent, row.held) for row in found}


async def test_what_was_spent_counts_against_every_limit(till: Paying) -> None:
    limited(
        till,
        (LimitOwner.API_KEY, Limits(spend_per_day=10**9, spend_per_month=2 * 10**9)),
        (LimitOwner.ORGANIZATION, Limits(spend_per_month=10**9)),
    )

    await ask(till, max_tokens=100)
    await ask(till, max_tokens=100, stream=True)
    await till.settle()

    assert await spent(till.database) == {
        "API_KEY DAY": (2 * COST, 0),
        "API_KEY MONTH": (2 * COST, 0),
        "ORGANIZATION MONTH": (2 * COST, 0),
    }
    charged = "SELECT sum(credits_charged) FROM llm_usage_logs"
    assert await one(till.database, charged) == 0
    assert await one(till.database, "SELECT count(*) FROM wallets WHERE kind <> 'HOUSE'") == 0
    await check(till.database)


@pytest.mark.parametrize("period", ["day", "month"])
@pytest.mark.parametrize("kind", list(LimitOwner))
async def test_a_limit_that_is_used_up_refuses_and_says_when_it_renews(
    till: Paying, fake_provider: FakeProvider, kind: LimitOwner, period: str
) -> None:
    limited(till, (kind, Limits(**{f"spend_per_{period}": 5_000_000})))

    await ask(till, max_tokens=100)
    await till.settle()
    error = await refused(till, max_tokens=300)

    who = {"API_KEY": "API key", "USER": "person", "ORGANIZATION": "organization"}[kind]
    assert (error.status_code, error.code) == (402, "insufficient_quota")
    assert (
        f"are left of the $0.005 for each {period} of this {who}. It renews at 20" in error.message
    )
    assert "T00:00Z." in error.message
    assert error.response.headers["x-should-retry"] == "false"
    assert len(fake_provider.chats) == 1


async def test_a_limit_of_nothing_allows_nothing(till: Paying, fake_provider: FakeProvider) -> None:
    limited(till, (LimitOwner.USER, Limits(spend_per_month=0)))

    assert (await refused(till)).status_code == 402
    assert fake_provider.chats == []


async def test_a_new_limit_counts_what_was_spent_before_it(till: Paying) -> None:
    await ask(till, max_tokens=100)
    await till.settle()
    limited(till, (LimitOwner.USER, Limits(spend_per_day=COST + 100)))
    till.plane.callers.caller = replace(
        till.plane.callers.caller,
        limits=(Limited(LimitOwner.USER, PERSON, Limits(spend_per_day=COST + 100)),),
    )

    error = await refused(till, max_tokens=1)

    assert "$0.0000001 are left" in error.message


async def test_limits_hold_under_concurrency(till: Paying, fake_provider: FakeProvider) -> None:
    limited(till, (LimitOwner.API_KEY, Limits(spend_per_day=30_000_000)))

    found = await asyncio.gather(
        *(ask(till, max_tokens=200) for _ in range(40)), return_exceptions=True
    )
    await till.settle()

    served = sum(not isinstance(each, openai.APIStatusError) for each in found)
    assert 0 < served < 40
    assert len(fake_provider.chats) == served
    assert await spent(till.database) == {"API_KEY DAY": (served * COST, 0)}


async def test_credits_and_limits_bind_together(till: Paying, database: Database) -> None:
    await fund(database, PERSON, 10**9)
    till.plane.credits()
    limited(till, (LimitOwner.USER, Limits(spend_per_day=10**9)))

    await ask(till, max_tokens=100)
    await till.settle()

    assert await wallet(database, PERSON) == (10**9 - COST, 0, False)
    assert await spent(database) == {"USER DAY": (COST, 0)}
    await check(database)


async def test_own_keys_spend_nothing(till: Paying, fake_provider: FakeProvider) -> None:
    limited(till, (LimitOwner.USER, Limits(spend_per_day=0)))
    two = till.plane.provider("two", fake_provider.base_url, keys=("sk-two",))
    till.plane.own_key(two, "sk-own", KeyPolicy.ONLY_MINE)
    till.plane.model(two, "fake-i10-o5", input=None)

    await ask(till, "two/fake-i10-o5")


async def test_an_own_key_bounds_what_the_houses_may_cost_in_its_place(
    till: Paying, fake_provider: FakeProvider
) -> None:
    busy = "fake-i10-o5-fail429x1"
    till.plane.credits(CreditsMode.OFF)
    two = till.plane.provider("two", fake_provider.base_url, keys=("sk-two",))
    till.plane.own_key(two, "sk-own", KeyPolicy.MINE_THEN_SYSTEM, spend=50_000)
    for name in (busy, "fake-i10-o6-fail429x1"):
        till.plane.model(two, name, input=MICRO // 100, output=MICRO)

    await ask(till, f"two/{busy}", max_tokens=40)
    await till.settle()
    error = await refused(till, "two/fake-i10-o6-fail429x1", max_tokens=60)

    assert await spent(till.database) == {"CREDENTIAL MONTH": (10 * 10 + 5 * 1_000, 0)}
    assert "requests that your own key is too busy for" in error.message
    sent = [entry.headers["authorization"] for entry in fake_provider.chats]
    assert sent == ["Bearer sk-own", "Bearer sk-two", "Bearer sk-own"]


async def test_a_cost_that_one_request_may_not_exceed(
    till: Paying, fake_provider: FakeProvider
) -> None:
    dear: Any = {"extra_headers": {"x-fairlead-max-cost": "0.002"}}
    short: Any = {"extra_headers": {**dear["extra_headers"], "x-fairlead-clamp": "true"}}

    error = await refused(till, max_tokens=300, **dear)
    await ask(till, max_tokens=10, **dear)
    await ask(till, **short)
    wrong = await refused(till, extra_headers={"x-fairlead-max-cost": "cheap"})

    assert (error.status_code, error.code) == (402, "insufficient_quota")
    assert "above the $0.002" in error.message
    assert (wrong.status_code, wrong.param) == (400, "x-fairlead-max-cost")
    first, second = (entry.body["max_tokens"] for entry in fake_provider.chats)
    assert first == 10
    assert 10 < second < 40


async def test_the_dearest_cost_of_a_key_leaves_the_cheaper_candidates(
    till: Paying, fake_provider: FakeProvider
) -> None:
    limited(till, (LimitOwner.API_KEY, Limits(max_cost=2_000_000)))
    one_ = till.plane.configuration.snapshot.by_reference[f"one/{SMALL}"].provider
    till.plane.model(one_, "fake-i11-o5", input=MICRO // 10, output=MICRO // 5, canonical=SMALL)

    await ask(till, SMALL, max_tokens=1_000)

    assert [entry.body["model"] for entry in fake_provider.chats] == ["fake-i11-o5"]


async def test_without_the_database_a_limit_cannot_be_kept(
    till: Paying, server_url: str, database_url: str
) -> None:
    limited(till, (LimitOwner.USER, Limits(spend_per_day=10**9)))
    async with outage(server_url, database_url):
        error = await refused(till)
        limited(till)
        await ask(till)

    assert (error.status_code, error.response.headers["retry-after"]) == (503, "1")


async def test_nothing_binds_a_caller_without_limits(
    till: Paying, fake_provider: FakeProvider, database: Database
) -> None:
    till.plane.credits(CreditsMode.OFF, markup=500)
    limited(till, (LimitOwner.USER, Limits()))

    await ask(till)
    await till.settle()

    assert "max_tokens" not in fake_provider.chats[0].body
    assert await spent(database) == {}
    assert await one(database, "SELECT count(*) FROM settled_requests") == 0
