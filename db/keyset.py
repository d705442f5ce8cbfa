"""Pages by keyset: a window of an ordered statement, alone or one for each of many parents."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, bindparam, func, select, true, tuple_

from db.batch import among
from db.session import AsyncSession

Row: TypeAlias = Any
"""One row of Core columns, read by attribute: cheaper than an entity."""


class Key(NamedTuple):
    """One column of an order. It is never NULL (coalesce it), and its values have `type`."""

    column: ColumnElement[Any]
    type: type


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order: the last key is unique. `name` goes into cursors, so that they fit."""

    name: str
    keys: tuple[Key, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` rows after and before the given key values; `backwards`: the last ones."""

    limit: int
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """What is listed: a statement over Core columns, and the column that names the parent."""

    statement: Select[Any]
    parent: ColumnElement[Any] | None = None


class Page(NamedTuple):
    """Rows in the order asked for, and whether there are more at either end."""

    rows: Sequence[Row] = ()
    has_next: bool = False
    has_previous: bool = False


def keys_of(row: Row, ordering: Ordering) -> tuple[Any, ...]:
    """The values a cursor at `row` carries."""
    return tuple(getattr(row, f"key_{index}") for index in range(len(ordering.keys)))


async def page(session: AsyncSession, listed: Listed, ordering: Ordering, window: Window) -> Page:
    """One window of the list, in one statement."""
    found = (await session.execute(_windowed(listed.statement, ordering, window))).all()
    return _cut(found, window)


async def page_of_each(
    session: AsyncSession,
    listed: Listed,
    parents: Sequence[uuid.UUID],
    ordering: Ordering,
    window: Window,
) -> dict[uuid.UUID, Page]:
    """The same window for each parent, all in one statement; a parent without rows is absent."""
    if listed.parent is None:
        raise TypeError("This list has no parents.")
    ids = bindparam("parents", list(parents), type_=ARRAY(Uuid))
    outer = select(func.unnest(ids).label("of_parent")).subquery("parents")
    narrowed = listed.statement.where(listed.parent == outer.c.of_parent)
    inner = _windowed(narrowed, ordering, window).lateral()
    keys = [inner.c[f"key_{index}"] for index in range(len(ordering.keys))]
    falling = ordering.descending != window.backwards
    every = (
        select(outer.c.of_parent, *inner.c)
        .select_from(outer.join(inner, true()))
        .order_by(*(key.desc() if falling else key for key in keys))
    )
    found: dict[uuid.UUID, list[Row]] = {}
    for row in await session.execute(every):
        found.setdefault(row.of_parent, []).append(row)
    return {key: _cut(rows, window) for key, rows in found.items()}


async def count(session: AsyncSession, listed: Listed) -> int:
    """How many rows the list has."""
    counted = select(func.count()).select_from(listed.statement.subquery())
    return await session.scalar(counted) or 0


async def count_of_each(
    session: AsyncSession, listed: Listed, parents: Sequence[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """How many rows each parent has; a parent without rows is absent."""
    parent = listed.parent
    if parent is None:
        raise TypeError("This list has no parents.")
    grouped = (
        listed.statement.where(among(parent, parents))
        .with_only_columns(parent, func.count())
        .group_by(parent)
    )
    return {key: number for key, number in await session.execute(grouped)}


def _windowed(statement: Select[Any], ordering: Ordering, window: Window) -> Select[Any]:
    columns = [key.column for key in ordering.keys]
    place = tuple_(*columns)
    if window.after is not None:
        after = tuple_(*window.after)
        statement = statement.where(place < after if ordering.descending else place > after)
    if window.before is not None:
        before = tuple_(*window.before)
        statement = statement.where(place > before if ordering.descending else place < before)
    falling = ordering.descending != window.backwards
    return (
        statement.add_columns(*(c.label(f"key_{index}") for index, c in enumerate(columns)))
        .order_by(*(column.desc() if falling else column for column in columns))
        .limit(window.limit + 1)
    )


def _cut(found: Sequence[Row], window: Window) -> Page:
    more = len(found) > window.limit
    rows = found[: window.limit]
    if window.backwards:
        return Page(rows[::-1], window.before is not None, more)
    return Page(rows, more, window.after is not None)
