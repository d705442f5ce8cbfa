"""Credits that run low, and run out, are seen once for each payment by the batch that does it."""

import asyncio
import uuid
from collections.abc import Sequence

from db.queries.charge import Crossing, used_up
from db.queries.settlement import Settlements
from db.session import AsyncSession, Database
from tests.db.money import asks, fund, grant
from tests.usage import usage_row

ANN, BOB = uuid.UUID(int=11), uuid.UUID(int=12)


class Ears:
    def __init__(self) -> None:
        self.heard: list[tuple[uuid.UUID, int, int]] = []

    async def listen(self, session: AsyncSession, crossings: Sequence[Crossing]) -> None:
        self.heard += [(each.id, each.level, each.posted) for each in crossings]


async def _spend(database: Database, ears: Ears, wallet: uuid.UUID, *amounts: int) -> None:
    for amount in amounts:
        request = asks(wallet, amount)
        await grant(database, request)
        row = usage_row(
            id=request.request_id, spend=amount, wallet_id=wallet, credits_charged=amount
        )
        await Settlements(database, ears.listen).settle([row])


async def test_a_tenth_and_nothing_are_told_once_each(database: Database) -> None:
    ears = Ears()
    await fund(database, ANN, 1_000)
    await _spend(database, ears, ANN, 899)
    before = list(ears.heard)
    await _spend(database, ears, ANN, 1, 50, 49, 1)

    assert before == []
    assert ears.heard == [(ANN, 1, 100), (ANN, 2, 0)]


async def test_a_payment_begins_it_anew_by_what_there_is_then(database: Database) -> None:
    ears = Ears()
    await fund(database, ANN, 1_000)
    await _spend(database, ears, ANN, 950)
    await fund(database, ANN, 450)
    await _spend(database, ears, ANN, 449, 1)

    assert ears.heard == [(ANN, 1, 50), (ANN, 1, 50)]


async def test_whatever_passes_both_at_once_is_told_as_the_greater(database: Database) -> None:
    ears = Ears()
    await fund(database, ANN, 1_000)
    await _spend(database, ears, ANN, 1_000)

    assert ears.heard == [(ANN, 2, 0)]


async def test_many_batches_at_once_tell_once(database: Database) -> None:
    ears = Ears()
    for wallet in (ANN, BOB):
        await fund(database, wallet, 1_000)
    await asyncio.gather(
        *(_spend(database, ears, wallet, *[10] * 10) for wallet in (ANN, BOB) for _ in range(10))
    )

    for wallet in (ANN, BOB):
        told = [(level, posted) for id, level, posted in ears.heard if id == wallet]
        assert told == [(1, 100), (2, 0)]


async def test_too_little_for_a_request_is_told_where_it_was_low(database: Database) -> None:
    ears = Ears()
    for wallet in (ANN, BOB):
        await fund(database, wallet, 1_000)
    await _spend(database, ears, ANN, 950)
    found = []
    for _ in range(2):
        async with database.write(None) as session:
            found.append([each.id for each in await used_up(session, [ANN, BOB])])

    assert found == [[ANN], []]
