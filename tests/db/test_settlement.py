"""Settlement batches: once each, in commit order, in the partition of their day."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from db.models.usage import DecisionLog, UsageLog
from db.queries.feed import batches_after, latest_batch, latest_span
from db.queries.settlement import RowRefused, Settlements
from db.queries.usage_row import LOG_COLUMNS
from db.session import Database
from tests.usage import id_at, usage_row


async def _usage(database: Database) -> list[UsageLog]:
    async with database.read(None) as session:
        return list(await session.scalars(select(UsageLog).order_by(UsageLog.batch, UsageLog.id)))


async def _drop_partitions(database: Database) -> None:
    find = "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid = inhparent"
    where = " WHERE relname IN ('llm_usage_logs', 'llm_decisions')"
    async with database.write(None) as session:
        for name in list(await session.scalars(text(find + where))):
            await session.execute(text(f"DROP TABLE {name}"))


@pytest.fixture
async def bare(database: Database) -> AsyncIterator[Database]:
    """A database without any partition."""
    await _drop_partitions(database)
    yield database
    await _drop_partitions(database)


async def test_a_row_and_its_decision_are_inserted_as_they_are(database: Database) -> None:
    row = usage_row(attempt_log='[{"provider": "openai"}]')

    assert await Settlements(database).settle([row]) == 1

    (found,) = await _usage(database)
    stored = {name: getattr(found, name) for name in LOG_COLUMNS}
    assert stored == {name: getattr(row, name) for name in LOG_COLUMNS}
    assert found.batch == 1
    async with database.read(None) as session:
        decision = await session.get_one(DecisionLog, row.id)
    assert decision.decision == {"strategy": "COST"}
    assert decision.attempts == [{"provider": "openai"}]


async def test_replaying_changes_nothing(database: Database) -> None:
    settlements, rows = Settlements(database), [usage_row(), usage_row()]
    assert await settlements.settle(rows) == 1

    assert await settlements.settle([row._replace(cost=9) for row in rows]) is None
    assert await Settlements(database).settle([*rows, usage_row()]) == 2

    assert [(r.batch, r.cost) for r in await _usage(database)] == [(1, 1500), (1, 1500), (2, 1500)]


async def test_unknown_never_takes_the_place_of_a_settled_row(database: Database) -> None:
    settlements, row = Settlements(database), usage_row()
    lost = row._replace(status="UNKNOWN", cost=None, decision=None)

    assert await settlements.settle([lost, row]) == 1
    assert await settlements.settle([lost]) is None

    (found,) = await _usage(database)
    assert (found.status, found.cost) == ("OK", 1500)
    async with database.read(None) as session:
        assert (await session.get_one(DecisionLog, row.id)).decision == {"strategy": "COST"}


async def test_each_day_has_its_partition_and_midnight_belongs_to_the_day_it_begins(
    bare: Database,
) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    last = usage_row(id=id_at(midnight - timedelta(milliseconds=1)))
    first = usage_row(id=id_at(midnight))

    await Settlements(bare).settle([first, last])

    async with bare.read(None) as session:
        places = text("SELECT id, tableoid::regclass::text FROM llm_usage_logs")
        found = {row.id: row.tableoid for row in await session.execute(places)}
        attached = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = "
        made = set(await session.scalars(text(attached + "'llm_decisions'::regclass")))
    day = [f"{midnight + timedelta(days=n):%Y%m%d}" for n in (-1, 0, 1, 2)]
    assert found == {
        last.id: f"llm_usage_logs_{day[0]}",
        first.id: f"llm_usage_logs_{day[1]}",
    }
    assert made == {f"llm_decisions_{name}" for name in day}


async def test_writers_that_start_together_make_each_partition_once(bare: Database) -> None:
    numbers = await asyncio.gather(*(Settlements(bare).settle([usage_row()]) for _ in range(4)))

    assert sorted(n for n in numbers if n is not None) == [1, 2, 3, 4]


async def test_a_partition_dropped_meanwhile_is_made_again(bare: Database) -> None:
    settlements = Settlements(bare)
    await settlements.settle([usage_row()])
    await _drop_partitions(bare)

    with pytest.raises(RowRefused):
        await settlements.settle([usage_row()])
    assert await settlements.settle([usage_row()]) == 2


async def test_numbers_become_visible_in_their_own_order(database: Database) -> None:
    """A reader that tails by number sees every row once, whatever the writers do."""
    writers = [Settlements(database) for _ in range(3)]
    await writers[0].prepare()
    written = [usage_row() for _ in range(45)]
    seen: list[tuple[int, uuid.UUID]] = []
    done = asyncio.Event()

    async def write(settlements: Settlements, mine: int) -> None:
        for row in written[mine::3]:
            await settlements.settle([row])

    async def tail() -> None:
        last = 0
        while not done.is_set() or last < len(written):
            async with database.read(None) as session:
                for number, rows in await batches_after(session, last, max_rows=10):
                    seen.extend((number, row.id) for row in rows)
                    last = number

    tailing = asyncio.create_task(tail())
    await asyncio.gather(*(write(s, n) for n, s in enumerate(writers)))
    done.set()
    async with asyncio.timeout(30):
        await tailing

    assert [number for number, _ in seen] == list(range(1, 46))
    assert {row_id for _, row_id in seen} == {row.id for row in written}


async def test_tailing_is_bounded_by_rows_but_always_advances(database: Database) -> None:
    settlements = Settlements(database)
    for size in (3, 2, 2):
        await settlements.settle([usage_row() for _ in range(size)])

    async with database.read(None) as session:
        assert await latest_batch(session) == 3
        first = await batches_after(session, 0, max_rows=2)
        both = await batches_after(session, 1, max_rows=4)
        assert await batches_after(session, 3, max_rows=4) == []
        assert await latest_span(session, max_rows=4) == (1, 3)
        assert await latest_span(session, max_rows=100) == (0, 3)
    assert [(number, len(rows)) for number, rows in first] == [(1, 3)]
    assert [(number, len(rows)) for number, rows in both] == [(2, 2), (3, 2)]


@pytest.mark.parametrize(
    "fault",
    [
        {"requested_model": "nul\0"},
        {"requested_model": "\ud800"},
        {"model_name": "nul\0"},
        {"latency_ms": 2**40},
        {"cost": 2**63},
        {"decision": "{"},
        {"decision": b'"\xff"'},
        {"decision": '"\\u0000"'},
        {"attempt_log": ""},
        {"api_key_id": "no key"},
        {"budget_ids": ("0" * 30,), "spend": 1},
        {"status": None},
        {"user_id": None},
        {"id": uuid.UUID("5b0e3b6e-3c5a-4a63-9a5d-3f5d1e4a7f10")},
        {"id": uuid.UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")},
    ],
)
async def test_a_faulty_row_is_refused_and_nothing_is_inserted(
    database: Database, fault: dict[str, object]
) -> None:
    settlements = Settlements(database)

    with pytest.raises(RowRefused):
        await settlements.settle([usage_row(), usage_row(**fault)])

    assert await _usage(database) == []
    assert await settlements.settle([usage_row()]) == 1
