"""Sealed records of every table that has any, by the master key that sealed them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, select, true, update

from db.keyset import Row
from db.models import Base
from db.session import AsyncSession

KEY_COLUMN = "master_key_id"


def sealed_tables() -> frozenset[str]:
    """Names of the tables whose records are sealed under a master key."""
    return frozenset(t.name for t in Base.metadata.tables.values() if KEY_COLUMN in t.c)


def _under_others(table: Table, column: str, keys: Collection[str]) -> ColumnElement[bool]:
    """Sealed, and not under one of `keys`."""
    sealed = and_(table.c[column].is_not(None), func.octet_length(table.c[column]) > 0)
    return and_(sealed, table.c[KEY_COLUMN].not_in(keys) if keys else true())


async def count_sealed(
    session: AsyncSession, table: str, column: str, *, besides: Collection[str]
) -> int:
    """How many records are sealed under a key that is none of `besides`."""
    found = Base.metadata.tables[table]
    where = _under_others(found, column, besides)
    return await session.scalar(select(func.count()).select_from(found).where(where)) or 0


async def sealed_records(
    session: AsyncSession, table: str, column: str, *, besides: str, most: int
) -> Sequence[Row]:
    """Some that are under another key, locked; those that somebody else changes are left out."""
    found = Base.metadata.tables[table]
    statement = (
        select(found)
        .where(_under_others(found, column, [besides]))
        .order_by(found.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(statement)).all()


async def seal_record(
    session: AsyncSession, table: str, id: Any, values: Mapping[str, Any]
) -> None:
    """Write a locked record's new ciphertext."""
    found = Base.metadata.tables[table]
    await session.execute(update(found).where(found.c.id == id).values(**values))
