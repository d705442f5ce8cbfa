"""The numbered feed of configuration changes and the register of processes."""

import asyncio
import uuid
from datetime import timedelta

from sqlalchemy import func, update

from db.models.configuration import Process
from db.models.provider import Provider
from db.queries.configuration import (
    beat,
    changes_after,
    latest_change,
    processes,
    record_change,
    sign_off,
)
from db.queries.snapshot import configuration_rows
from db.session import Database

ONE = uuid.UUID(int=1)


async def test_numbers_grow_by_one_in_commit_order(database: Database) -> None:
    async def change() -> int:
        async with database.write(None) as session:
            return await record_change(session, "model", ONE)

    numbers = await asyncio.gather(*(change() for _ in range(8)))

    assert sorted(numbers) == list(range(1, 9))
    async with database.read(None) as session:
        assert await latest_change(session) == 8
        assert await changes_after(session, 6) == [(7, "model", ONE), (8, "model", ONE)]


async def test_a_number_waits_for_the_transaction_before_it(database: Database) -> None:
    async with database.write(None) as first:
        assert await record_change(first, "provider", None) == 1

        async def second() -> int:
            async with database.write(None) as session:
                return await record_change(session, "model", None)

        waiting = asyncio.create_task(second())
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
    assert await waiting == 2


async def test_a_rolled_back_change_leaves_no_number(database: Database) -> None:
    async with database.read(None) as session:
        assert await record_change(session, "provider", ONE) == 1

    async with database.read(None) as session:
        assert await latest_change(session) == 0
        assert await changes_after(session, 0) == []


async def test_lists_only_processes_that_beat_lately(database: Database) -> None:
    alive, silent, stopped = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
    async with database.write(None) as session:
        for process in (alive, silent, stopped):
            await beat(session, process, "host-a", 4)
        await beat(session, alive, "host-a", 5)
        await sign_off(session, stopped)
        late = update(Process).where(Process.id == silent)
        await session.execute(late.values(beat_at=func.now() - timedelta(seconds=16)))

    async with database.read(None) as session:
        assert [(p.id, p.applied) for p in await processes(session)] == [(alive, 5)]


async def test_reads_configuration_as_of_one_moment(database: Database) -> None:
    async with database.read(None) as session:
        before = await configuration_rows(session)
        async with database.write(None) as other:
            other.add(
                Provider(slug="later", name="Later", type="CUSTOM", base_url="https://later.test")
            )
            await other.flush()
            await record_change(other, "provider", None)
        assert await latest_change(session) == 0
    async with database.read(None) as session:
        after = await configuration_rows(session)

    assert (before.number, before.providers) == (0, [])
    assert after.number == 1
    assert [provider.slug for provider in after.providers] == ["later"]
