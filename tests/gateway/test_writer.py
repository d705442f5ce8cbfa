"""From the spool to rows, and from rows to every replica's subscribers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models.usage import DecisionLog, UsageLog
from db.queries.settlement import Settlements
from db.session import Database
from domain.hub import Batch, Hub
from gateway.adoption import adopt
from gateway.feed import Feed
from gateway.records import Kind, scan
from gateway.settling import Settler
from gateway.spool import Spool
from gateway.writer import Writer
from tests.outage import outage
from tests.usage import intent, outcome


async def _rows(database: Database) -> dict[uuid.UUID, UsageLog]:
    async with database.read(None) as session:
        return {row.id: row for row in await session.scalars(select(UsageLog))}


def left_in(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


class Committed:
    """Tells when the writer has committed a batch."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._event = asyncio.Event()

    def __call__(self, number: int) -> None:
        self.numbers.append(number)
        self._event.set()

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.numbers) < count:
                self._event.clear()
                await self._event.wait()


@asynccontextmanager
async def writing(
    database: Database, root: Path, settled: Callable[[int], None] = lambda _: None
) -> AsyncIterator[tuple[Spool, Writer]]:
    spool = Spool(root)
    writer = Writer(database, spool, settled=settled)
    await spool.start()
    await writer.start()
    yield spool, writer
    await writer.stop()
    await spool.close()


async def died(root: Path, write: Callable[[Spool], None]) -> None:
    """A process that wrote to its spool and is gone; its files are left."""
    spool = Spool(root)
    write(spool)
    spool.rewind()
    await spool.close()


def settler(database: Database, root: Path) -> Settler:
    return Settler(Settlements(database), root / "quarantine")


async def test_an_outcome_becomes_a_row_with_its_decision(
    database: Database, tmp_path: Path
) -> None:
    ended, committed = outcome(requested_model="nul\0", error_class=None), Committed()
    async with writing(database, tmp_path, committed) as (spool, _):
        spool.intent(intent(ended.id))
        spool.outcome(ended)
        await committed.wait(1)

    row = (await _rows(database))[ended.id]
    assert (row.batch, row.cost, row.status, row.attempts) == (1, 1500, "OK", 1)
    assert (row.input_tokens, row.output_tokens) == (10, 5)
    assert row.requested_model == "nul\N{REPLACEMENT CHARACTER}"
    async with database.read(None) as session:
        decision = await session.get_one(DecisionLog, ended.id)
    assert decision.decision == {"strategy": "COST"}
    assert decision.attempts[0]["provider"] == "openai"
    assert left_in(tmp_path) == []


async def test_stopping_settles_what_is_spooled(database: Database, tmp_path: Path) -> None:
    ended = [outcome() for _ in range(450)]
    async with writing(database, tmp_path) as (spool, _):
        for one in ended:
            spool.outcome(one)

    assert (await _rows(database)).keys() == {one.id for one in ended}


async def test_a_dead_process_is_settled_once_however_often_it_is_replayed(
    database: Database, tmp_path: Path
) -> None:
    ended, bare, committed = outcome(), intent(), Committed()

    def write(spool: Spool) -> None:
        spool.intent(bare)
        spool.intent(intent(ended.id))
        spool.outcome(ended)

    for _ in range(2):
        await died(tmp_path, write)
        assert await adopt(tmp_path, settler(database, tmp_path), committed) == 1

    rows = await _rows(database)
    assert committed.numbers == [1]
    assert {row.id: (row.status, row.usage_source, row.cost) for row in rows.values()} == {
        ended.id: ("OK", "PROVIDER", 1500),
        bare.id: ("UNKNOWN", "NONE", None),
    }
    assert left_in(tmp_path) == []


async def test_a_running_writer_adopts_the_dead_and_leaves_the_living(
    database: Database, tmp_path: Path
) -> None:
    dead, alive, committed = outcome(), outcome(), Committed()
    living = Spool(tmp_path)
    living.outcome(alive)
    await died(tmp_path, lambda spool: spool.outcome(dead))

    async with writing(database, tmp_path, committed):
        await committed.wait(1)

    assert (await _rows(database)).keys() == {dead.id}
    await living.close()


async def test_a_faulty_row_is_quarantined_and_its_neighbours_are_settled(
    database: Database, tmp_path: Path
) -> None:
    ended = [outcome() for _ in range(5)]
    faulty = outcome(latency_ms=2**40)
    root = tmp_path / "spool"

    def write(spool: Spool) -> None:
        for one in [*ended[:2], faulty, *ended[2:]]:
            spool.outcome(one)

    await died(root, write)
    await adopt(root, settler(database, tmp_path), lambda _: None)

    assert (await _rows(database)).keys() == {one.id for one in ended}
    (kept,) = scan((tmp_path / "quarantine").read_bytes(), 10).records
    assert kept.kind is Kind.OUTCOME
    assert str(faulty.id).encode() in kept.payload


async def test_an_outage_loses_nothing(
    database: Database, server_url: str, database_url: str, tmp_path: Path
) -> None:
    before, during, committed = outcome(), [outcome() for _ in range(300)], Committed()
    async with writing(database, tmp_path, committed) as (spool, writer):
        spool.outcome(before)
        await committed.wait(1)
        async with outage(server_url, database_url):
            for one in during:
                spool.intent(intent(one.id))
                spool.outcome(one)
            await spool.synced()
            async with asyncio.timeout(20):
                await writer.interrupted.wait()
        await committed.wait(2)

    assert (await _rows(database)).keys() == {before.id, *(one.id for one in during)}


async def test_a_stop_during_an_outage_leaves_the_spool_for_the_next_start(
    database: Database, server_url: str, database_url: str, tmp_path: Path
) -> None:
    ended = outcome()
    async with outage(server_url, database_url), writing(database, tmp_path) as (spool, _):
        spool.outcome(ended)

    committed = Committed()
    async with writing(database, tmp_path, committed):
        await committed.wait(1)
    assert (await _rows(database)).keys() == {ended.id}


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[tuple[Hub, Feed]]:
    hub = Hub()
    feed = Feed(database, hub)
    await feed.start()
    yield hub, feed
    await feed.stop()


async def _collect(hub: Hub, count: int, after: int | None) -> list[Batch]:
    found: list[Batch] = []
    async with asyncio.timeout(20), hub.subscribe(after) as subscription:
        while sum(len(batch.rows) for batch in found) < count:
            item = await anext(subscription)
            assert isinstance(item, Batch)
            found.append(item)
    return found


async def test_a_subscriber_sees_the_rows_of_every_replica_in_commit_order(
    database: Database, feed: tuple[Hub, Feed], tmp_path: Path
) -> None:
    hub, local = feed
    ended = [outcome() for _ in range(40)]
    collecting: Awaitable[list[Batch]] = asyncio.ensure_future(_collect(hub, 40, after=0))
    async with (
        writing(database, tmp_path / "here", local.wake) as (here, _),
        writing(database, tmp_path / "there") as (there, _),
    ):
        for number, one in enumerate(ended):
            (here, there)[number % 2].outcome(one)
            await asyncio.sleep(0)
        batches = await collecting

    numbers = [batch.number for batch in batches]
    assert numbers == list(range(1, len(numbers) + 1))
    seen = [row.id for batch in batches for row in batch.rows]
    assert sorted(seen) == sorted(one.id for one in ended)


async def test_a_subscriber_that_comes_back_gets_what_it_missed(
    database: Database, feed: tuple[Hub, Feed], tmp_path: Path
) -> None:
    hub, _ = feed
    settlements = settler(database, tmp_path)
    for one in (first := [outcome() for _ in range(3)]):
        spool = Spool(tmp_path)
        spool.outcome(one)
        await settlements.settle(spool.read(1))
        await spool.close()

    (batch,) = await _collect(hub, 1, after=2)
    assert (batch.number, batch.rows[0].id) == (3, first[2].id)
    assert not hub.watched


async def test_a_backlog_goes_in_large_batches_and_its_unreadable_records_are_kept_once(
    database: Database, tmp_path: Path
) -> None:
    root, ended, committed = (
        tmp_path / "spool",
        [outcome() for _ in range(10_200)],
        Committed(),
    )

    def write(spool: Spool) -> None:
        for number, one in enumerate([*ended, ended[0]]):
            if number == 70:
                spool._append(Kind.OUTCOME, b'["not", "an outcome"]')
            spool.outcome(one)

    await died(root, write)
    await adopt(root, settler(database, tmp_path), committed)

    assert (await _rows(database)).keys() == {one.id for one in ended}
    assert len(committed.numbers) <= 2
    (kept,) = scan((tmp_path / "quarantine").read_bytes(), 10).records
    assert kept.payload == b'["not", "an outcome"]'
