"""Credits on the wire: held before dispatch, charged to the last digit, refused in clear words."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from sqlalchemy import text

from db.session import Database
from domain.ruleset import Alias
from domain.snapshot import CreditsMode, KeyPolicy
from tests.db.money import check, fund, one, wallet
from tests.gateway.plane import MICRO, identity
from tests.gateway.purse import Paying, paying
from tests.gateway.test_chat import HELLO
from tests.outage import outage
from tests.provider.server import FakeProvider

PERSON = identity("user")
DOLLAR = 1_000_000_000
STREAMS = pytest.mark.parametrize("stream", [False, True])
SMALL = "fake-i100-c40-o20-r5"


@pytest.fixture
async def till(
    database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> AsyncIterator[Paying]:
    """Credits are enforced; the wallet holds a dollar."""
    await fund(database, PERSON, DOLLAR)
    async with paying(database, tmp_path, fake_provider.host_port) as till:
        till.plane.credits()
        one = till.plane.provider("one", fake_provider.base_url, keys=("sk-one",))
        till.plane.model(one, SMALL, input=3 * MICRO, output=15 * MICRO)
        yield till


async def ask(till: Paying, model: str = f"one/{SMALL}", **more: Any) -> Any:
    """The answer, read to its end."""
    found: Any = await till.plane.client.chat.completions.create(
        model=model, messages=HELLO, **more
    )
    return [chunk async for chunk in found] if more.get("stream") else found


async def refused(till: Paying, model: str = f"one/{SMALL}", **more: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as error:
        await ask(till, model, **more)
    return error.value


@STREAMS
async def test_an_answer_is_charged_what_it_cost_and_nothing_stays_held(
    till: Paying, stream: bool
) -> None:
    await ask(till, stream=stream)
    await till.settle()

    cost = 100 * 3_000 + 20 * 15_000
    assert await wallet(till.database, PERSON) == (DOLLAR - cost, 0, False)
    row = "SELECT credits_charged || ' ' || cost FROM llm_usage_logs"
    assert await one(till.database, row) == f"{cost} {cost}"
    await check(till.database)


async def test_a_markup_is_charged_on_top_with_one_rounding(till: Paying) -> None:
    till.plane.credits(markup=333)

    answer = await ask(till)
    await till.settle()

    cost = 100 * 3_000 + 20 * 15_000
    charge = round(cost * 1.0333)
    told = answer.usage.model_extra
    assert (told["cost"], told["charged"]) == (cost / 1e9, charge / 1e9)
    assert await wallet(till.database, PERSON) == (DOLLAR - charge, 0, False)
    assert await one(till.database, "SELECT cost FROM llm_usage_logs") == cost


async def test_the_record_says_what_was_held(till: Paying) -> None:
    await ask(till, max_tokens=100)
    await till.settle()

    found = await one(till.database, "SELECT decision -> 'credits' FROM llm_decisions")
    bound = (8 + 2 + 512) * 3_000 + 100 * 15_000
    assert found["settings"] == {"mode": "ENFORCED"}
    assert found["wallet"] == "USER"
    assert found["worst"] == found["held"]
    assert found["held"] == pytest.approx(bound, rel=0.05)


async def test_without_credits_nothing_is_sent(till: Paying, fake_provider: FakeProvider) -> None:
    till.plane.callers.caller = replace(till.plane.callers.caller, user_id=identity("poor"))

    error = await refused(till)

    assert error.status_code == 402
    assert error.body == {
        "message": error.body["message"],  # type: ignore[index]
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
    assert "$0 of credits are available" in error.message
    assert error.response.headers["x-should-retry"] == "false"
    assert fake_provider.chats == []
    assert till.spool.read(10) == []


async def test_the_answer_is_bounded_by_what_was_held(
    till: Paying, fake_provider: FakeProvider
) -> None:
    await ask(till)
    await ask(till, max_tokens=50)

    told = [entry.body.get("max_tokens") for entry in fake_provider.chats]
    assert told == [8_192, 50]


async def test_a_caller_may_take_a_shorter_answer(
    till: Paying, fake_provider: FakeProvider, database: Database
) -> None:
    async with database.write(None) as session:
        await session.execute(text("UPDATE wallets SET posted = 5000000 WHERE kind = 'USER'"))

    error = await refused(till)
    await ask(till, extra_headers={"x-fairlead-clamp": "true"})

    assert error.status_code == 402
    assert "x-fairlead-clamp" in error.message
    [sent] = fake_provider.chats
    assert 200 < sent.body["max_tokens"] < 230


async def test_who_brings_a_key_pays_nothing(till: Paying, fake_provider: FakeProvider) -> None:
    two = till.plane.provider("two", fake_provider.base_url, keys=("sk-two",))
    till.plane.own_key(two, "sk-own", KeyPolicy.ONLY_MINE)
    till.plane.model(two, "fake-i10-o5", input=None)

    await ask(till, "two/fake-i10-o5")
    await till.settle()

    assert await wallet(till.database, PERSON) == (DOLLAR, 0, False)
    assert await one(till.database, "SELECT count(*) FROM settled_requests") == 0


async def test_money_is_held_before_the_houses_key_takes_over(
    till: Paying, fake_provider: FakeProvider, database: Database
) -> None:
    name = "fake-i10-o5-fail429x1"
    two = till.plane.provider("two", fake_provider.base_url, keys=("sk-two",))
    till.plane.own_key(two, "sk-own", KeyPolicy.MINE_THEN_SYSTEM)
    till.plane.model(two, name, input=1 * MICRO, output=4 * MICRO)

    await ask(till, f"two/{name}")
    await till.settle()

    assert await wallet(database, PERSON) == (DOLLAR - 10 * 1_000 - 5 * 4_000, 0, False)
    till.plane.callers.caller = replace(till.plane.callers.caller, user_id=identity("poor"))
    other = "fake-i11-o5-fail429"
    till.plane.own_key(two, "sk-poor", KeyPolicy.MINE_THEN_SYSTEM)
    till.plane.model(two, other, input=1 * MICRO, output=4 * MICRO)
    before = len(fake_provider.chats)
    assert (await refused(till, f"two/{other}")).status_code == 402
    sent = [entry.headers["authorization"] for entry in fake_provider.chats[before:]]
    assert sent == ["Bearer sk-poor"]
    await till.settle()
    assert await one(database, "SELECT error_class FROM llm_usage_logs WHERE status = 'ERROR'") == (
        "INSUFFICIENT_CREDITS"
    )


@STREAMS
async def test_failed_attempts_are_not_charged(till: Paying, stream: bool) -> None:
    error: Any = None
    one_ = till.plane.configuration.snapshot.by_reference[f"one/{SMALL}"].provider
    till.plane.model(one_, "fake-i10-fail500", input=3 * MICRO, output=15 * MICRO)
    error = await refused(till, "one/fake-i10-fail500", stream=stream)
    till.plane.rules(
        aliases={"safe": Alias(("one/fake-i10-fail500",), fallbacks=(f"one/{SMALL}",))}
    )

    await ask(till, "safe", stream=stream)
    await till.settle()

    assert error.status_code == 503
    cost = 100 * 3_000 + 20 * 15_000
    assert await wallet(till.database, PERSON) == (DOLLAR - cost, 0, False)
    await check(till.database)


async def test_a_cut_answer_is_charged_for_what_was_delivered(till: Paying) -> None:
    one_ = till.plane.configuration.snapshot.by_reference[f"one/{SMALL}"].provider
    till.plane.model(one_, "fake-n9-cut3", input=3 * MICRO, output=15 * MICRO)

    with pytest.raises(openai.APIError):
        await ask(till, "one/fake-n9-cut3", stream=True)
    await till.settle()

    row = "SELECT status || ' ' || usage_source FROM llm_usage_logs"
    assert await one(till.database, row) == "CUT ESTIMATED"
    charged = await one(till.database, "SELECT credits_charged FROM llm_usage_logs")
    assert charged == await one(till.database, "SELECT cost FROM llm_usage_logs") > 0
    assert await wallet(till.database, PERSON) == (DOLLAR - charged, 0, False)
    await check(till.database)


async def test_what_has_no_price_is_not_served_on_credit(till: Paying) -> None:
    one_ = till.plane.configuration.snapshot.by_reference[f"one/{SMALL}"].provider
    till.plane.model(one_, "fake-n5", input=None)

    error = await refused(till, "one/fake-n5")
    assert error.status_code == 422
    assert "price" in error.message

    till.plane.credits(CreditsMode.OFF)
    await ask(till, "one/fake-n5")


async def test_the_database_away_refuses_those_who_pay_and_serves_the_others(
    till: Paying, fake_provider: FakeProvider, server_url: str, database_url: str
) -> None:
    two = till.plane.provider("two", fake_provider.base_url, keys=("sk-two",))
    till.plane.own_key(two, "sk-own", KeyPolicy.ONLY_MINE)
    till.plane.model(two, "fake-i10-o5")
    await ask(till)
    async with outage(server_url, database_url):
        error = await refused(till)
        await ask(till, "two/fake-i10-o5")
        till.plane.credits(CreditsMode.OFF)
        await ask(till)
        till.plane.credits()
    await ask_until_served(till)
    await till.settle()

    assert (error.status_code, error.response.headers["retry-after"]) == (503, "1")
    assert len(fake_provider.chats) == 4
    cost = 100 * 3_000 + 20 * 15_000
    assert await wallet(till.database, PERSON) == (DOLLAR - 2 * cost, 0, False)
    await check(till.database)


async def ask_until_served(till: Paying) -> None:
    """The database was just found away: it is asked again a second later."""
    client = till.plane.client.with_options(max_retries=8)
    await client.chat.completions.create(model=f"one/{SMALL}", messages=HELLO)


async def test_answers_asked_for_together_never_overdraw(till: Paying, database: Database) -> None:
    async with database.write(None) as session:
        for kind, amount in (("USER", 30_000_000), ("HOUSE", -30_000_000)):
            change = text("UPDATE wallets SET posted = :amount WHERE kind = :kind")
            await session.execute(change, {"amount": amount, "kind": kind})

    found = await asyncio.gather(
        *(ask(till, max_tokens=200) for _ in range(40)), return_exceptions=True
    )
    await till.settle()

    refusals = [each for each in found if isinstance(each, openai.APIStatusError)]
    served = len(found) - len(refusals)
    assert {each.status_code for each in refusals} == {402}
    assert 0 < served < 40
    posted, held, frozen = await wallet(database, PERSON)
    assert posted == 30_000_000 - served * (100 * 3_000 + 20 * 15_000) >= 0
    assert (held, frozen) == (0, False)
