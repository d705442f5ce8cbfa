"""Reads of the audit log, and its one way to grow."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, func, insert, literal, select

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.audit import AuditEntry
from db.session import AsyncSession

_LOG: Table = AuditEntry.metadata.tables[AuditEntry.__tablename__]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """None means any. `since` is included, `until` is not."""

    user: uuid.UUID | None = None
    by_system: bool = False
    actions: tuple[str, ...] | None = None
    object_types: tuple[str, ...] | None = None
    object: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    descending: bool = True


_EVERY = AuditQuery(descending=False)


def entries(query: AuditQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, in the order of the changes."""
    ordering = Ordering("audit", (Key(_LOG.c.number, int),), query.descending)
    return Listed(_narrowed(query)), ordering


def _narrowed(query: AuditQuery) -> Select[*tuple[Any, ...]]:
    statement = select(_LOG)
    if query.user is not None:
        statement = statement.where(_LOG.c.user_id == query.user)
    if query.by_system:
        statement = statement.where(_LOG.c.user_id.is_(None))
    if query.actions is not None:
        statement = statement.where(_LOG.c.action.in_(query.actions))
    if query.object_types is not None:
        statement = statement.where(_LOG.c.object_type.in_(query.object_types))
    if query.object is not None:
        statement = statement.where(_LOG.c.object_id == query.object)
    if query.since is not None:
        statement = statement.where(_LOG.c.at >= query.since)
    if query.until is not None:
        statement = statement.where(_LOG.c.at < query.until)
    return statement


async def entries_by_id(session: AsyncSession, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Row]:
    found = await session.execute(select(_LOG).where(among(_LOG.c.id, ids)))
    return {row.id: row for row in found}


async def newest_link(session: AsyncSession) -> tuple[int, bytes | None, datetime]:
    """Number and hash of the newest entry (0 and None before the first), and the time now."""
    newest = select(_LOG.c.number, _LOG.c.hash).order_by(_LOG.c.number.desc()).limit(1).subquery()
    now = select(func.clock_timestamp().label("now")).subquery()
    found = await session.execute(
        select(
            func.coalesce(newest.c.number, 0).label("number"), newest.c.hash, now.c.now
        ).select_from(now.outerjoin(newest, literal(True)))
    )
    row = found.one()
    return row.number, row.hash, row.now


async def add_entry(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(_LOG).values(**values))


async def entries_after(
    session: AsyncSession, number: int, limit: int, query: AuditQuery = _EVERY
) -> Sequence[Row]:
    """The next entries after `number` that `query` asks for, oldest first."""
    statement = _narrowed(query).where(_LOG.c.number > number)
    found = await session.execute(statement.order_by(_LOG.c.number).limit(limit))
    return found.all()


async def count_entries(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(_LOG)) or 0
