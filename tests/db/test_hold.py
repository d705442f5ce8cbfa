"""Holds: granted in order while they fit, together or alone, of wallets and of budgets."""

import uuid
from datetime import date

from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.models.hold import Budget
from db.queries.hold import Granted, HoldDesk, open_budget, orphans, release
from db.queries.settlement import Settlements
from db.session import Database
from tests.db.money import PROCESS, asks, check, fund, grant, one, wallet
from tests.usage import usage_row

ANN, BOB = uuid.UUID(int=11), uuid.UUID(int=12)


async def add_budget(database: Database, spent: int = 0) -> uuid.UUID:
    id = uuid7()
    async with database.write(None) as session:
        session.add(
            Budget(
                id=id,
                kind="USER",
                subject_id=id,
                period="DAY",
                starts_on=date(2026, 1, 1),
                spent=spent,
                held=0,
            )
        )
    return id


async def test_all_that_wait_are_granted_in_order_while_they_fit(database: Database) -> None:
    await fund(database, ANN, 100)
    await fund(database, BOB, 5)

    found = await grant(
        database, asks(ANN, 60), asks(BOB, 6), asks(ANN, 50), asks(ANN, 40), asks(BOB, 5)
    )

    assert found == [
        Granted(60, None, None),
        Granted(None, BOB, 5),
        Granted(None, ANN, 40),
        Granted(40, None, None),
        Granted(5, None, None),
    ]
    assert await wallet(database, ANN) == (100, 100, False)
    assert await wallet(database, BOB) == (5, 5, False)
    await check(database)


async def test_those_that_left_before_they_were_sent_are_no_round(database: Database) -> None:
    assert await grant(database) == []


async def test_budgets_beside_a_wallet_and_without_one_are_each_asked(database: Database) -> None:
    await fund(database, ANN, 100)
    daily, monthly = await add_budget(database), await add_budget(database, spent=30)
    both, alone = ((daily, 50), (monthly, 60)), ((monthly, 60),)

    found = await grant(
        database,
        asks(ANN, 20)._replace(budgets=both),
        asks(ANN, 20)._replace(wallet_id=None, budgets=alone),
        asks(ANN, 20)._replace(budgets=both),
        asks(ANN, 1),
    )

    assert found == [
        Granted(20, None, None),
        Granted(None, monthly, 10),
        Granted(None, monthly, 10),
        Granted(1, None, None),
    ]
    assert await wallet(database, ANN) == (100, 21, False)
    await check(database)


async def test_who_takes_less_is_given_what_is_left(database: Database) -> None:
    await fund(database, ANN, 100)

    found = await grant(database, asks(ANN, 80), asks(ANN, 80, least=20), asks(ANN, 80, least=1))

    assert [each.amount for each in found] == [80, 20, None]
    await check(database)


async def test_nobody_holds_what_is_not_there(database: Database) -> None:
    await fund(database, ANN, 100)
    async with database.write(None) as session:
        await session.execute(text("UPDATE wallets SET frozen = true WHERE kind = 'USER'"))

    found = await grant(database, asks(BOB, 1), asks(ANN, 1))

    assert found == [Granted(None, BOB, 0), Granted(None, ANN, None)]
    assert await one(database, "SELECT count(*) FROM holds") == 0


async def test_a_credit_limit_may_be_held_too(database: Database) -> None:
    await fund(database, ANN, 10)
    async with database.write(None) as session:
        await session.execute(text("UPDATE wallets SET credit_limit = 5 WHERE kind = 'USER'"))

    assert [each.amount for each in await grant(database, asks(ANN, 15), asks(ANN, 1))] == [
        15,
        None,
    ]


async def test_a_hold_is_of_every_account_or_of_none(database: Database) -> None:
    await fund(database, ANN, 100)
    day, month = await add_budget(database, 30), await add_budget(database)

    found = await grant(
        database,
        asks(ANN, 60, budgets=((day, 80), (month, 500))),
        asks(ANN, 50, budgets=((day, 80), (month, 500))),
        asks(ANN, 50, least=1, budgets=((day, 80), (month, 500))),
        asks(None, 100, budgets=((month, 500),)),
    )

    assert found == [
        Granted(None, day, 50),
        Granted(50, None, None),
        Granted(None, day, 0),
        Granted(100, None, None),
    ]
    assert await one(database, f"SELECT held FROM budgets WHERE id = '{month}'") == 150
    assert (await wallet(database, ANN))[1] == 50
    await check(database)


async def test_all_that_wait_are_one_statement(database: Database) -> None:
    await fund(database, ANN, 1_000)
    desk = HoldDesk(database)
    calls = "SELECT count(*) FROM holds"
    await desk.grant(PROCESS, [asks(ANN, 1)])
    sent: list[str] = []
    driver = desk._driver
    driver.add_query_logger(lambda query: sent.append(query.query))

    found = await desk.grant(PROCESS, [asks(ANN, 1) for _ in range(200)])

    await desk.close()
    assert len(found) == 200
    assert len(sent) == 1
    assert await one(database, calls) == 201
    await check(database)


async def test_what_was_held_is_given_back_once(database: Database) -> None:
    await fund(database, ANN, 100)
    day = await add_budget(database)
    request = asks(ANN, 60, budgets=((day, 80),))
    await grant(database, request)

    counts = []
    for _ in range(2):
        async with database.write(None) as session:
            counts.append(await release(session, [request.request_id, uuid7()]))

    assert counts == [1, 0]
    assert await wallet(database, ANN) == (100, 0, False)
    await check(database)


async def test_holds_of_processes_long_gone_are_orphans(database: Database) -> None:
    await fund(database, ANN, 100)
    alive, silent, young = asks(ANN, 1), asks(ANN, 2), asks(ANN, 3)
    await grant(database, alive, silent, young)
    beat = "INSERT INTO processes (id, host, applied, beat_at) VALUES (:id, 'h', 1, now())"
    other, quiet = uuid7(), uuid7()
    async with database.write(None) as session:
        await session.execute(text(beat), {"id": other})
        await session.execute(
            text(beat.replace("now()", "now() - interval '16 minutes'")), {"id": quiet}
        )
        move = text("UPDATE holds SET process_id = :p, created_at = :at WHERE request_id = :r")
        old = await session.scalar(text("SELECT now() - interval '16 minutes'"))
        now = await session.scalar(text("SELECT now()"))
        for request, process, at in (
            (alive, other, old),
            (silent, quiet, old),
            (young, quiet, now),
        ):
            await session.execute(move, {"p": process, "at": at, "r": request.request_id})

    async with database.read(None) as session:
        assert list(await orphans(session)) == [silent.request_id]


async def test_a_new_limit_counts_what_the_period_has_spent_already(database: Database) -> None:
    rows = [
        usage_row(api_key_id=ANN, cost=7),
        usage_row(api_key_id=ANN, cost=10, credits_charged=11),
        usage_row(api_key_id=ANN, cost=100, key_owner="USER"),
        usage_row(api_key_id=BOB, cost=1_000),
    ]
    await Settlements(database).settle(rows)
    id, today = uuid7(), date.today()

    for _ in range(2):
        async with database.write(None) as session:
            await open_budget(session, id, "API_KEY", ANN, "MONTH", today.replace(day=1))

    assert await one(database, "SELECT spent FROM budgets") == 18
