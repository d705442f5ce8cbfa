"""A backlog goes in large batches, of which little is held in memory."""

import asyncio
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models.usage import UsageLog
from db.queries.settlement import Settlements
from db.session import Database
from gateway.records import Kind, decode_outcome, scan
from gateway.settling import Settler
from gateway.spool import Spool
from gateway.writer import Writer
from tests.usage import intent, outcome


async def _settled(database: Database) -> set[uuid.UUID]:
    async with database.read(None) as session:
        return set(await session.scalars(select(UsageLog.id)))


async def test_a_backlog_is_settled_beyond_what_is_held_whatever_lies_in_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.adoption._BATCH_BYTES", 20_000)
    root, ended = tmp_path / "spool", [outcome() for _ in range(3_000)]
    known, faulty = outcome(), outcome(latency_ms=2**40)
    spool, batches = Spool(root), asyncio.Queue[int]()
    spool.outcome(known)
    await Settler(Settlements(database), root / "quarantine").settle(spool.read(1))
    await spool.settled(spool.position)
    for number, one in enumerate(ended):
        spool.intent(intent(one.id))
        spool.outcome(one)
        if number == 900:
            spool._append(Kind.OUTCOME, b'["not", "an outcome"]')
            spool.outcome(known)
        if number == 1_800:
            spool.outcome(faulty)

    writer = Writer(database, spool, settled=batches.put_nowait)
    await writer.start()
    count = 0
    async with asyncio.timeout(60):
        while len(await _settled(database)) <= len(ended):
            await batches.get()
            count += 1
    await writer.stop()
    await spool.close()

    assert await _settled(database) == {known.id, *(one.id for one in ended)}
    # One with all that came before the fault, some small ones around it, one with all the rest.
    assert count < 60
    kept = scan((root / "quarantine").read_bytes(), 10).records
    assert [record.payload == b'["not", "an outcome"]' for record in kept] == [True, False]
    assert decode_outcome(kept[1].payload).id == faulty.id
    assert [path.name for path in root.iterdir()] == ["quarantine"]
