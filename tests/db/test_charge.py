"""Settlement of money: once for each request, to the last digit, in the batch of its row."""

import asyncio
import uuid

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.models.wallet import HOUSE
from db.queries.settlement import RowRefused, Settlements
from db.session import Database
from tests.db.money import asks, check, fund, grant, one, pay, wallet
from tests.db.test_hold import add_budget
from tests.usage import usage_row

ANN, BOB = uuid.UUID(int=11), uuid.UUID(int=12)


async def test_what_was_used_is_charged_and_the_rest_is_free_again(database: Database) -> None:
    await fund(database, ANN, 100)
    day = await add_budget(database)
    request = asks(ANN, 60, budgets=((day, 80),))
    await grant(database, request)

    await pay(database, request, 25)

    assert await wallet(database, ANN) == (75, 0, False)
    assert await one(database, "SELECT spent FROM budgets") == 25
    assert await one(database, "SELECT credits_charged FROM llm_usage_logs") == 25
    kinds = "SELECT array_agg(kind || ' ' || amount ORDER BY number) FROM entries e"
    kinds += f" JOIN transfers t ON t.id = transfer_id WHERE wallet_id <> '{HOUSE}'"
    assert await one(database, kinds) == ["TOP_UP 100", "CHARGE -25"]
    assert await one(database, "SELECT id FROM transfers WHERE kind = 'CHARGE'") == (
        request.request_id
    )
    await check(database)


async def test_a_replay_charges_nothing_even_when_the_rows_partition_is_gone(
    database: Database,
) -> None:
    await fund(database, ANN, 100)
    request = asks(ANN, 60)
    await grant(database, request)
    for _ in range(2):
        await pay(database, request, 25)
    async with database.write(None) as session:
        await session.execute(text("TRUNCATE llm_usage_logs, llm_decisions"))

    await pay(database, request, 25)
    await pay(database, request, 40)

    assert await wallet(database, ANN) == (75, 0, False)
    assert await one(database, "SELECT count(*) FROM transfers WHERE kind = 'CHARGE'") == 1
    await check(database)


async def test_nothing_used_gives_all_of_it_back(database: Database) -> None:
    await fund(database, ANN, 100)
    failed, unknown = asks(ANN, 60), asks(ANN, 30)
    await grant(database, failed, unknown)

    await pay(database, failed, 0, status="ERROR", cost=0)
    await pay(database, unknown, None, status="UNKNOWN", wallet_id=None, cost=None)

    assert await wallet(database, ANN) == (100, 0, False)
    assert await one(database, "SELECT count(*) FROM transfers WHERE kind = 'CHARGE'") == 0
    assert await one(database, "SELECT count(*) FROM settled_requests") == 2
    await check(database)


async def test_more_than_was_held_becomes_debt_and_freezes_the_wallet(database: Database) -> None:
    await fund(database, ANN, 100)
    request = asks(ANN, 60)
    await grant(database, request)

    await pay(database, request, 130)

    assert await wallet(database, ANN) == (-30, 0, True)
    assert "cost more" in await one(database, "SELECT frozen_reason FROM wallets WHERE frozen")
    assert [each.amount for each in await grant(database, asks(ANN, 1))] == [None]
    await check(database)


async def test_more_than_was_held_is_no_debt_while_the_balance_covers_it(
    database: Database,
) -> None:
    await fund(database, ANN, 100)
    request = asks(ANN, 60)
    await grant(database, request)

    await pay(database, request, 90)

    assert await wallet(database, ANN) == (10, 0, False)


async def test_a_charge_whose_hold_was_given_back_is_a_charge(database: Database) -> None:
    await fund(database, ANN, 100)

    await pay(database, asks(ANN, 60), 25)

    assert await wallet(database, ANN) == (75, 0, False)
    await check(database)


async def test_a_batch_of_many_wallets_is_exact_entry_by_entry(database: Database) -> None:
    people = [uuid7() for _ in range(7)]
    for person in people:
        await fund(database, person, 1_000_000)
    requests = [asks(people[n % 7], 1_000) for n in range(300)]
    await grant(database, *requests)
    rows = [
        usage_row(id=each.request_id, spend=n, wallet_id=each.wallet_id, credits_charged=n, cost=n)
        for n, each in enumerate(requests)
    ]

    await asyncio.gather(
        *(Settlements(database).settle(rows[start : start + 100]) for start in (0, 100, 200))
    )

    for place, person in enumerate(people):
        assert await wallet(database, person) == (1_000_000 - sum(range(place, 300, 7)), 0, False)
    assert await one(database, "SELECT count(*) FROM entries") == 2 * (7 + 299)
    await check(database)


async def test_a_row_whose_money_is_wrong_is_refused_alone(database: Database) -> None:
    await fund(database, ANN, 100)
    good, bad = asks(ANN, 60), asks(ANN, 30)
    await grant(database, good, bad)
    rows = [
        usage_row(id=good.request_id, spend=25, wallet_id=ANN),
        usage_row(id=bad.request_id, spend=5, wallet_id=BOB),
    ]

    with pytest.raises(RowRefused):
        await Settlements(database).settle(rows)
    assert await wallet(database, ANN) == (100, 90, False)
    await Settlements(database).settle(rows[:1])

    assert await wallet(database, ANN) == (75, 30, False)
    await check(database)


async def test_metering_alone_touches_no_money(database: Database) -> None:
    await Settlements(database).settle([usage_row()])

    for table in ("wallets", "settled_requests", "transfers", "entries"):
        assert await one(database, f"SELECT count(*) FROM {table}") == 0


async def test_credits_are_held_while_a_batch_is_rolled_up(database: Database) -> None:
    await fund(database, ANN, 100)
    request = asks(ANN, 60)
    await grant(database, request)

    async with database.write(None) as session:
        await session.execute(text("LOCK TABLE usage_times IN SHARE MODE"))
        settling = asyncio.create_task(pay(database, request, 25))
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        waits += " AND relation = 'usage_times'::regclass"
        for _ in range(500):
            if await one(database, waits):
                break
            await asyncio.sleep(0.02)
        assert await one(database, waits) == 1

        async with asyncio.timeout(10):
            (granted,) = await grant(database, asks(ANN, 40))
    await settling

    assert granted.amount == 40
    assert await wallet(database, ANN) == (75, 40, False)
    await check(database)
