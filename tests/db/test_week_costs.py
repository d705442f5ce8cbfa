"""Who cost most is found without summing everybody, whether costs are folded or not."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from db.queries.settlement import Settlements
from db.queries.week_costs import candidates, fold
from db.session import Database
from tests.usage import id_at, usage_row

NOW = datetime.now(UTC)
PEOPLE = [uuid.UUID(int=n + 1) for n in range(40)]


async def settled(database: Database, costs: list[int]) -> None:
    """One request for each person, of this moment."""
    rows = [
        usage_row(id=id_at(NOW), started_at=NOW, user_id=user, cost=cost)
        for user, cost in zip(PEOPLE, costs, strict=False)
    ]
    await Settlements(database).settle(rows)


@pytest.mark.parametrize("folded", [0, 1, 2])
async def test_the_first_people_bound_all_others(database: Database, folded: int) -> None:
    for number in range(2):
        await settled(database, [1_000 - n for n in range(40)])
        if number < folded:
            assert await fold(database)
    async with database.read(None) as session:
        found = candidates(session, "USER", 1, NOW - timedelta(hours=1), NOW)
        within, bound = await anext(found)
    # Six are looked at; the seventh cost 994 twice.
    assert within is not None
    assert {id for id, _ in within} == set(PEOPLE[:6])
    assert bound == 2 * 994


async def test_little_that_is_not_folded_counts_as_a_whole(database: Database) -> None:
    await settled(database, [1_000_000 - n for n in range(40)])
    assert await fold(database)
    await settled(database, [1] * 40)
    async with database.read(None) as session:
        found = candidates(session, "USER", 1, NOW - timedelta(hours=1), NOW)
        within, bound = await anext(found)
    assert within is not None
    assert {id for id, _ in within} == set(PEOPLE[:6])
    assert bound == 999_994 + 40


@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("count", [0, 5, 6])
async def test_when_all_were_looked_at_no_other_is_left(
    database: Database, count: int, folded: bool
) -> None:
    await settled(database, [0] * count)
    if folded:
        assert await fold(database) is (count > 0)
    async with database.read(None) as session:
        found = [
            each async for each in candidates(session, "USER", 1, NOW - timedelta(hours=1), NOW)
        ]
    [(within, bound)] = found
    assert bound is None
    assert within is not None
    assert {id for id, _ in within} == set(PEOPLE[:count])
