"""Sums over finished requests straight from the raw rows.

They answer what no cell does, and are the peer that the roll-ups are measured and tested against.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Label,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    null,
    select,
)

from db.keyset import Row
from db.queries.rollup import SUMS
from db.queries.usage import USAGE, UsageQuery, conditions, first_id, is_byok
from db.queries.usage_facts import NOT_ANSWERED, TOKENS
from db.queries.usage_figures import NO_ID, Figures, Group, Wanted
from db.session import AsyncSession


def _percentiles(column: ColumnElement[Any]) -> ColumnElement[Any]:
    shares: ColumnElement[Any] = literal_column("ARRAY[0.5, 0.95, 0.99]::float8[]")
    answered = func.percentile_disc(shares).within_group(column)
    found: ColumnElement[Any] = answered.filter(USAGE.c.status == "OK")
    return found


def _columns(wanted: Wanted) -> Sequence[Label[Any]]:
    cost, columns = USAGE.c.cost, USAGE.c
    latency = _percentiles(columns.latency_ms) if wanted.percentiles else null()
    first = _percentiles(columns.first_token_ms) if wanted.percentiles else null()
    users = func.count(columns.user_id.distinct()) if wanted.users else null()
    return (
        func.count().label("requests"),
        func.count().filter(columns.status.in_(NOT_ANSWERED)).label("errors"),
        func.count(cost).label("priced"),
        *(func.coalesce(func.sum(columns[name]), 0).label(name) for name in TOKENS),
        func.coalesce(func.sum(cost), 0).label("cost"),
        func.coalesce(func.sum(cost).filter(is_byok()), 0).label("shadow_cost"),
        latency.label("latency"),
        first.label("first_token"),
        users.label("users"),
    )


_SERVED = func.coalesce(USAGE.c.provider_slug + "/" + USAGE.c.model_name, "")
_BYOK = case((is_byok(), "BYOK"), else_="SYSTEM")
DIMENSIONS: Mapping[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "PROVIDER": (
        func.coalesce(USAGE.c.provider_id, NO_ID),
        func.coalesce(USAGE.c.provider_slug, ""),
    ),
    "MODEL": (func.coalesce(USAGE.c.model_id, NO_ID), _SERVED),
    "USER": (USAGE.c.user_id, literal("")),
    "ORGANIZATION": (func.coalesce(USAGE.c.organization_id, NO_ID), literal("")),
    "API_KEY": (func.coalesce(USAGE.c.api_key_id, NO_ID), literal("")),
    "STATUS": (literal(NO_ID), USAGE.c.status),
    "ERROR_CLASS": (literal(NO_ID), func.coalesce(USAGE.c.error_class, "")),
    "BYOK": (literal(NO_ID), _BYOK),
}
"""By what requests are grouped: id and name, never NULL so that they can be joined."""


async def totals(session: AsyncSession, query: UsageQuery, wanted: Wanted) -> Figures:
    """All of them together."""
    found = await session.execute(select(*_columns(wanted)).where(*conditions(query)))
    return _figures(found.one())


async def breakdown(
    session: AsyncSession,
    query: UsageQuery,
    dimension: str,
    first: int,
    wanted: Wanted,
    _others: Wanted | None = None,
) -> tuple[list[Group], Figures | None]:
    """The `first` groups that cost most, and all the rest together, None without any; of all of
    them what is `wanted`, because they are summed by one statement."""
    summed = _summed_twice if wanted.percentiles or wanted.users else _summed_once
    found = await session.execute(summed(query, dimension, first, wanted))
    groups, rest = [], None
    for row in found:
        if row.place is None:
            rest = _figures(row)
        else:
            id_found = None if row.id == NO_ID else row.id
            groups.append(Group(id_found, row.name or None, _figures(row)))
    return groups, rest


_PLACED = ("place", "id", "name")


def _summed_once(query: UsageQuery, dimension: str, first: int, wanted: Wanted) -> Select[Any]:
    """What can be added up: the rows are read once, the rest is the sum of its groups."""
    id, name = (
        column.label(label)
        for column, label in zip(DIMENSIONS[dimension], _PLACED[1:], strict=True)
    )
    groups = (
        select(id, name, *_columns(wanted))
        .where(*conditions(query))
        .group_by(id, name)
        .subquery("groups")
    )
    columns = groups.c
    order = (columns.cost.desc(), columns.requests.desc(), columns.id, columns.name)
    placed = select(groups, func.row_number().over(order_by=order).label("place")).subquery()
    keys = [case((placed.c.place <= first, placed.c[name])).label(name) for name in _PLACED]
    sums = (func.sum(placed.c[name]).label(name) for name in SUMS)
    nothing = (null().label(name) for name in ("latency", "first_token", "users"))
    return select(*keys, *sums, *nothing).group_by(*keys).order_by(keys[0])


def _summed_twice(query: UsageQuery, dimension: str, first: int, wanted: Wanted) -> Select[Any]:
    """What can not: first it is found who costs most."""
    id, name = DIMENSIONS[dimension]
    seen = conditions(query)
    weight = (func.coalesce(func.sum(USAGE.c.cost), 0).desc(), func.count().desc())
    place = func.row_number().over(order_by=(*weight, id, name))
    top = (
        select(id.label("id"), name.label("name"), place.label("place"))
        .where(*seen)
        .group_by(id, name)
        .order_by(place)
        .limit(first)
        .subquery("top")
    )
    member = USAGE.outerjoin(top, and_(id == top.c.id, name == top.c.name))
    keys = (top.c.place, top.c.id, top.c.name)
    return (
        select(*keys, *_columns(wanted))
        .select_from(member)
        .where(*seen)
        .group_by(*keys)
        .order_by(keys[0])
    )


async def series(
    session: AsyncSession, query: UsageQuery, starts: Sequence[datetime], wanted: Wanted
) -> list[Figures]:
    """Figures of the spans that begin at `starts`, in order; each ends where the next begins."""
    firsts = bindparam("firsts", [first_id(each) for each in starts], type_=ARRAY(Uuid()))
    place = func.width_bucket(USAGE.c.id, firsts).label("place")
    found = await session.execute(
        select(place, *_columns(wanted)).where(*conditions(query)).group_by(place)
    )
    by_place = {row.place: _figures(row) for row in found}
    nothing = Figures(users=0 if wanted.users else None)
    return [by_place.get(place, nothing) for place in range(1, len(starts) + 1)]


def _figures(row: Row) -> Figures:
    nothing = (None, None, None)
    return Figures(
        **{name: int(getattr(row, name)) for name in SUMS},
        latency=row.latency or nothing,
        first_token=row.first_token or nothing,
        users=row.users,
    )
