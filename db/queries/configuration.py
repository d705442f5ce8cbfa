"""The numbered feed of configuration changes, and the register of the processes that apply it."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from db.models.configuration import ConfigChange, Process
from db.session import AsyncSession

_LOCK = text("SELECT pg_advisory_xact_lock(5023170002)")

SILENT = timedelta(seconds=15)
"""A process that has not beaten for this long is gone."""

_FORGOTTEN = timedelta(days=1)


async def lock_changes(session: AsyncSession) -> None:
    """Held to commit, so that what is numbered under it becomes visible in the order of numbers.

    Take it last: other changes wait from here to the commit.
    """
    await session.execute(_LOCK)


async def record_change(session: AsyncSession, kind: str, object_id: uuid.UUID | None) -> int:
    """Number a change inside the transaction that makes it; returns the number.

    Rules call domain/audit.py's `record`, which calls this.
    """
    await lock_changes(session)
    number = await latest_change(session) + 1
    await session.execute(
        insert(ConfigChange).values(number=number, kind=kind, object_id=object_id)
    )
    return number


async def latest_change(session: AsyncSession) -> int:
    """The newest committed number, 0 before the first change."""
    return await session.scalar(select(func.coalesce(func.max(ConfigChange.number), 0))) or 0


async def changes_after(
    session: AsyncSession, number: int
) -> Sequence[tuple[int, str, uuid.UUID | None]]:
    """(number, kind, object id) of every later change, in order."""
    found = await session.execute(
        select(ConfigChange.number, ConfigChange.kind, ConfigChange.object_id)
        .where(ConfigChange.number > number)
        .order_by(ConfigChange.number)
    )
    return [(row.number, row.kind, row.object_id) for row in found]


async def told_lately(
    session: AsyncSession, kind: str, within: timedelta, most: int
) -> Sequence[uuid.UUID]:
    """The objects of this kind's newest changes, oldest first."""
    found = await session.scalars(
        select(ConfigChange.object_id)
        .where(ConfigChange.kind == kind, ConfigChange.at > func.now() - within)
        .order_by(ConfigChange.number.desc())
        .limit(most)
    )
    return [each for each in reversed(found.all()) if each is not None]


async def beat(
    session: AsyncSession,
    process_id: uuid.UUID,
    host: str,
    applied: int,
    refused: int | None = None,
) -> None:
    """Register a process, or say that it is alive and which change it has applied, or refused."""
    told = {"applied": applied, "refused": refused}
    statement = insert(Process).values(id=process_id, host=host, **told)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={**told, "beat_at": func.now()})
    )
    await session.execute(delete(Process).where(Process.beat_at < func.now() - _FORGOTTEN))


async def sign_off(session: AsyncSession, process_id: uuid.UUID) -> None:
    """Strike out a process that stops in order."""
    await session.execute(delete(Process).where(Process.id == process_id))


async def processes(session: AsyncSession) -> Sequence[Process]:
    """Every process heard of in the last 15 s, oldest first."""
    alive = select(Process).where(Process.beat_at > func.now() - SILENT)
    return (await session.scalars(alive.order_by(Process.started_at, Process.id))).all()
