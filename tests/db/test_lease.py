"""Leases: lent while there is plenty, taken from by each settlement once, closed once."""

import uuid

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.queries.hold import release
from db.queries.lease import SHARE, Closing, Part, Wish, renew, take_back, unlease
from db.queries.settlement import Settlements
from db.session import Database
from tests.db.money import PROCESS, asks, check, fund, grant, one, pay, wallet
from tests.usage import usage_row

ANN, BOB = uuid.UUID(int=11), uuid.UUID(int=12)
OTHER = uuid.UUID(int=78)
RICH = 100 * SHARE


async def lend(
    database: Database, amount: int = 100, *, of: uuid.UUID = ANN, least: int = 1
) -> tuple[uuid.UUID, int | None]:
    """The lease, and what is lent; None: nothing."""
    id = uuid7()
    async with database.write(None) as session:
        lent = await renew(session, PROCESS, [Wish(id, of, amount, least)], [])
    return id, lent.get(id)


async def close(database: Database, lease: uuid.UUID, unspent: int, of: uuid.UUID = ANN) -> None:
    async with database.write(None) as session:
        await renew(session, PROCESS, [], [Closing(lease, of, unspent)])


async def change(database: Database, statement: str) -> None:
    async with database.write(None) as session:
        await session.execute(text(statement))


async def use(
    database: Database, lease: uuid.UUID, leased: int, spend: int | None, **row: object
) -> uuid.UUID:
    """Settle a request that was granted `leased` of it; its id."""
    request = asks(ANN, 0)
    await pay(database, request, spend, lease_id=lease, leased=leased, **row)
    return request.request_id


async def test_a_small_share_of_what_is_available_is_lent(database: Database) -> None:
    await fund(database, ANN, RICH)
    await fund(database, BOB, RICH)

    assert (await lend(database, 40))[1] == 40
    assert (await lend(database, 1_000, of=BOB))[1] == 100
    assert (await lend(database, 1_000, least=99))[1] is None
    assert (await lend(database, 1_000, least=98))[1] == 98

    assert await wallet(database, ANN) == (RICH, 138, False)
    await check(database)


async def test_nothing_is_lent_of_who_has_little_or_is_frozen_or_was_refused(
    database: Database,
) -> None:
    await fund(database, ANN, SHARE - 1)
    assert (await lend(database, least=0))[1] is None
    await fund(database, ANN, RICH)
    await change(database, f"UPDATE wallets SET frozen = true WHERE id = '{ANN}'")
    assert (await lend(database))[1] is None
    await change(database, "UPDATE wallets SET frozen = false")
    async with database.write(None) as session:
        assert not await unlease(session, PROCESS, ANN, [])
    assert (await lend(database))[1] is None
    assert (await lend(database, of=BOB))[1] is None
    await change(database, "UPDATE wallets SET unleased_until = now()")

    assert (await lend(database))[1] == 100
    await check(database)


async def test_a_settlement_takes_its_part_from_the_lease_once(database: Database) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)

    request = await use(database, lease, 60, 25)
    replay = {"id": request, "spend": 25, "wallet_id": ANN, "lease_id": lease, "leased": 60}
    await Settlements(database).settle([usage_row(**replay)])
    assert await wallet(database, ANN) == (RICH - 25, 40, False)
    await change(database, "TRUNCATE llm_usage_logs, llm_decisions")
    await Settlements(database).settle([usage_row(**replay)])
    assert await wallet(database, ANN) == (RICH - 25, 40, False)
    await check(database)

    await use(database, lease, 40, 0, status="ERROR")
    assert await wallet(database, ANN) == (RICH - 25, 0, False)
    assert await one(database, "SELECT count(*) FROM holds") == 0
    await check(database)


async def test_requests_of_one_batch_share_a_lease_and_each_pays_its_own(
    database: Database,
) -> None:
    await fund(database, ANN, RICH)
    await fund(database, BOB, RICH)
    leases = {ANN: (await lend(database))[0], BOB: (await lend(database, of=BOB))[0]}
    rows = [
        usage_row(spend=n, wallet_id=who, lease_id=leases[who], leased=10)
        for n in range(9)
        for who in (ANN, BOB)
    ]
    lost = usage_row(status="UNKNOWN", cost=None, spend=0, lease_id=leases[ANN], leased=10)

    await Settlements(database).settle([*rows, lost])
    await Settlements(database).settle([*rows, lost])

    assert await wallet(database, ANN) == (RICH - 36, 0, False)
    assert await wallet(database, BOB) == (RICH - 36, 10, False)
    await check(database)


async def test_what_costs_more_than_its_part_is_taken_from_the_wallet(database: Database) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)

    await use(database, lease, 10, 500)

    assert await wallet(database, ANN) == (RICH - 500, 90, False)
    await use(database, lease, 10, RICH)
    assert await wallet(database, ANN) == (-500, 80, True)
    await check(database)


async def test_a_lease_that_is_spent_to_its_end_freezes_nobody(database: Database) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)
    (rest,) = await grant(database, asks(ANN, RICH - 100))
    assert rest.amount == RICH - 100

    await use(database, lease, 100, 100)

    assert await wallet(database, ANN) == (RICH - 100, RICH - 100, False)
    await check(database)


async def test_a_lease_is_closed_once_and_what_was_granted_stays_held(database: Database) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)

    for _ in range(2):
        await close(database, lease, 70)
        assert await wallet(database, ANN) == (RICH, 30, False)
    await use(database, lease, 30, 30)
    await close(database, lease, 70)

    assert await wallet(database, ANN) == (RICH - 30, 0, False)
    await check(database)


@pytest.mark.parametrize("spend", [0, 20])
async def test_a_lease_that_was_swept_takes_nothing_from_others(
    database: Database, spend: int
) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)
    kept, _ = await lend(database, 50)
    async with database.write(None) as session:
        assert await release(session, [lease]) == 1

    await use(database, lease, 60, spend)
    await close(database, lease, 40)

    assert await wallet(database, ANN) == (RICH - spend, 50, False)
    assert await one(database, "SELECT request_id FROM holds") == kept
    await check(database)


async def test_what_was_not_dispatched_is_taken_back_once(database: Database) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)
    part = Part(uuid7(), lease, 60)

    for _ in range(2):
        async with database.write(None) as session:
            await take_back(session, {part})
        assert await wallet(database, ANN) == (RICH, 40, False)
    # Its intent is found by who adopts the spool.
    lost = usage_row(id=part.request_id, status="UNKNOWN", spend=0, lease_id=lease, leased=60)
    await Settlements(database).settle([lost])
    assert await wallet(database, ANN) == (RICH, 40, False)
    paid = await use(database, lease, 10, 5)
    async with database.write(None) as session:
        await take_back(session, {Part(paid, lease, 10), Part(uuid7(), uuid7(), 3)})

    assert await wallet(database, ANN) == (RICH - 5, 30, False)
    await check(database)


async def test_others_are_told_of_until_they_have_closed(database: Database) -> None:
    await fund(database, ANN, RICH)
    lease, _ = await lend(database)

    async def others(process: uuid.UUID) -> bool:
        async with database.write(None) as session:
            return await unlease(session, process, ANN, [])

    assert await others(OTHER)
    assert not await others(PROCESS)
    await close(database, lease, 40)
    assert not await others(OTHER)
    await change(database, "UPDATE holds SET leased_until = now() - interval '1 second'")
    assert not await others(OTHER)
    assert await wallet(database, ANN) == (RICH, 60, False)
