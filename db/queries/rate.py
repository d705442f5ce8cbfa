"""Windows of rates, shared by every process: locked, read and written back in one transaction."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Row
from db.models.configuration import Process
from db.models.rate import RateRunning, RateWindow
from db.queries.configuration import SILENT
from db.session import AsyncSession

_WINDOWS: Table = RateWindow.metadata.tables[RateWindow.__tablename__]
_RUNNING: Table = RateRunning.metadata.tables[RateRunning.__tablename__]

Key = tuple[uuid.UUID, str]
_CLOCK = func.extract("epoch", func.clock_timestamp()).label("now")
_OLD = text("slot < extract(epoch FROM now()) / 5 - 720")


async def locked_windows(
    session: AsyncSession, keys: Collection[Key]
) -> tuple[float, Sequence[Row]]:
    """The database's clock (Unix seconds) and the windows of `keys`, nobody else's to change.

    Locked in the order of their keys, so that processes wait for each other and never in a ring.
    """
    wanted = sorted(set(keys), key=lambda key: (key[0].bytes, key[1]))
    statement = (
        select(_WINDOWS, _CLOCK)
        .where(tuple_(_WINDOWS.c.subject_id, _WINDOWS.c.rate).in_(wanted))
        .order_by(_WINDOWS.c.subject_id, _WINDOWS.c.rate)
        .with_for_update()
    )
    rows = (await session.execute(statement)).all()
    if len(rows) < len(wanted):
        await session.execute(
            insert(_WINDOWS).on_conflict_do_nothing(),
            [{"subject_id": s, "rate": r, "slot": 0, "counts": []} for s, r in wanted],
        )
        rows = (await session.execute(statement)).all()
    return max(float(row.now) for row in rows), rows


async def running_elsewhere(
    session: AsyncSession, subjects: Collection[uuid.UUID], process_id: uuid.UUID
) -> dict[uuid.UUID, int]:
    """Requests that the other living processes have running, by subject."""
    found = await session.execute(
        select(_RUNNING.c.subject_id, func.sum(_RUNNING.c.running).label("running"))
        .join(Process, Process.id == _RUNNING.c.process_id)
        .where(
            _RUNNING.c.subject_id.in_(subjects),
            _RUNNING.c.process_id != process_id,
            Process.beat_at > func.now() - SILENT,
        )
        .group_by(_RUNNING.c.subject_id)
    )
    return {row.subject_id: int(row.running) for row in found}


async def keep_windows(session: AsyncSession, windows: Sequence[Mapping[str, Any]]) -> None:
    """Write windows back that are locked: subject_id, rate, slot, counts."""
    if windows:
        statement = insert(_WINDOWS)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["subject_id", "rate"],
                set_={"slot": statement.excluded.slot, "counts": statement.excluded.counts},
            ),
            list(windows),
        )


async def keep_running(
    session: AsyncSession, process_id: uuid.UUID, running: Mapping[uuid.UUID, int]
) -> None:
    """Say how many requests of these subjects run in this process."""
    if running:
        statement = insert(_RUNNING)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["subject_id", "process_id"],
                set_={"running": statement.excluded.running},
            ),
            [
                {"subject_id": subject, "process_id": process_id, "running": count}
                for subject, count in sorted(running.items(), key=lambda item: item[0].bytes)
            ],
        )


async def tidy_rates(session: AsyncSession) -> int:
    """Strike out what is older than an hour and what dead processes had running.

    Returns how many processes live, at least 1.
    """
    await session.execute(delete(_WINDOWS).where(_OLD))
    alive = select(Process.id).where(Process.beat_at > func.now() - SILENT)
    await session.execute(delete(_RUNNING).where(_RUNNING.c.process_id.not_in(alive)))
    return max(await session.scalar(select(func.count()).select_from(alive.subquery())) or 0, 1)
