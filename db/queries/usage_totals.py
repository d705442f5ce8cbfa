"""Sums over finished requests: totals, breakdowns and series, straight from the raw rows.

The three functions and `Figures` are what callers know; where the sums come from is ours.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Label,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
)

from db.keyset import Row
from db.queries.usage import USAGE, UsageQuery, conditions
from db.session import AsyncSession

NOT_ANSWERED = ("ERROR", "CUT", "RECOVERED", "UNKNOWN")
"""Statuses of requests that did not get the whole answer, except where the client left."""

_NO_ID = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of some requests. `cost` is nano-USD over the `priced` ones, latency in ms of the
    answered ones, None without any."""

    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: int = 0
    priced: int = 0
    users: int = 0
    latency_p50_ms: int | None = None
    latency_p95_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What its requests have in common: an object's key, and the name copied at that time."""

    id: uuid.UUID | None
    name: str | None
    figures: Figures


_SUMMED = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
)
_LATENCY = func.percentile_disc(literal_column("ARRAY[0.5, 0.95]::float8[]")).within_group(
    USAGE.c.latency_ms
)
_COLUMNS: Sequence[Label[Any]] = (
    func.count().label("requests"),
    func.count().filter(USAGE.c.status.in_(NOT_ANSWERED)).label("errors"),
    func.count(USAGE.c.cost).label("priced"),
    func.count(USAGE.c.user_id.distinct()).label("users"),
    _LATENCY.filter(USAGE.c.status == "OK").label("latency"),
    *(func.coalesce(func.sum(USAGE.c[name]), 0).label(name) for name in _SUMMED),
)

_MODEL = func.coalesce(USAGE.c.provider_slug + "/" + USAGE.c.model_name, "")
DIMENSIONS: Mapping[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "PROVIDER": (
        func.coalesce(USAGE.c.provider_id, _NO_ID),
        func.coalesce(USAGE.c.provider_slug, ""),
    ),
    "MODEL": (func.coalesce(USAGE.c.model_id, _NO_ID), _MODEL),
    "USER": (USAGE.c.user_id, literal("")),
    "API_KEY": (func.coalesce(USAGE.c.api_key_id, _NO_ID), literal("")),
}
"""By what requests are grouped: id and name, never NULL so that they can be joined."""


async def totals(session: AsyncSession, query: UsageQuery) -> Figures:
    """All of them together."""
    found = await session.execute(select(*_COLUMNS).where(*conditions(query)))
    return _figures(found.one())


async def breakdown(
    session: AsyncSession, query: UsageQuery, dimension: str, first: int
) -> tuple[list[Group], Figures | None]:
    """The `first` groups that cost most, and all the rest together, None without any."""
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
    found = await session.execute(
        select(*keys, *_COLUMNS).select_from(member).where(*seen).group_by(*keys).order_by(keys[0])
    )
    groups, rest = [], None
    for row in found:
        if row.place is None:
            rest = _figures(row)
        else:
            id_found = None if row.id == _NO_ID else row.id
            groups.append(Group(id_found, row.name or None, _figures(row)))
    return groups, rest


async def series(
    session: AsyncSession, query: UsageQuery, starts: Sequence[datetime]
) -> list[Figures]:
    """Figures of the spans that begin at `starts`, in order; each ends where the next begins."""
    edges = bindparam("starts", list(starts), type_=ARRAY(DateTime(timezone=True)))
    # A request's start and the time in its id may differ by a millisecond at the edge.
    at = func.greatest(USAGE.c.started_at, starts[0])
    place = func.width_bucket(at, edges).label("place")
    found = await session.execute(
        select(place, *_COLUMNS).where(*conditions(query)).group_by(place)
    )
    by_place = {row.place: _figures(row) for row in found}
    return [by_place.get(place, Figures()) for place in range(1, len(starts) + 1)]


def _figures(row: Row) -> Figures:
    p50, p95 = row.latency or (None, None)
    return Figures(
        requests=row.requests,
        errors=row.errors,
        priced=row.priced,
        users=row.users,
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        **{name: int(getattr(row, name)) for name in _SUMMED},
    )
