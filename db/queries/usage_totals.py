"""Sums over finished requests: totals, breakdowns, series.

Callers know these and `Figures`; whether cells or raw rows answer is decided here.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from db.queries import usage_cells as cells
from db.queries import usage_days as days
from db.queries import usage_raw as raw
from db.queries.usage import UsageQuery
from db.queries.usage_families import (
    CALLERS,
    FAMILIES,
    ORGANIZATIONS,
    TIMES,
    Family,
    Groups,
)
from db.queries.usage_figures import NO_ID, Figures, Group, Sum, Wanted
from db.queries.usage_groups import Found, Sums, dearest
from db.queries.usage_pieces import day_pieces, pieces
from db.queries.usage_segments import segments
from db.queries.week_costs import EVERY, Candidates, candidates
from db.session import AsyncSession

__all__ = [
    "Figures",
    "Group",
    "Sums",
    "Wanted",
    "breakdown",
    "by_provider",
    "is_raw",
    "is_timed",
    "series",
    "top_of",
    "totals",
    "unique_users",
]

_MOST_RAW = 0.25
"""Of a series from daily cells: beyond that share the raw rows answer at once."""


def is_timed(query: UsageQuery) -> bool:
    """Whether cells of time know all of a query: then `by_provider` tells of all together."""
    return _family(query, None) is TIMES


def is_raw(query: UsageQuery, dimension: str, wanted: Wanted) -> bool:
    """Whether only the raw rows can tell of the groups of a query."""
    by_user = wanted.users and not _counts_users(query, dimension)
    return by_user or _family(query, dimension) is None


async def by_provider(session: AsyncSession, query: UsageQuery, *, percentiles: bool) -> Sums:
    """Each provider and all together, of a query that `is_timed`."""
    return await _every(session, query, "PROVIDER", Wanted(percentiles, False))


async def totals(session: AsyncSession, query: UsageQuery, wanted: Wanted) -> Figures:
    """All of them together."""
    family = _family(query, None)
    if family is None:
        return await raw.totals(session, query, wanted)
    found = await _groups(session, family, query, None, wanted)
    whole = found.get((NO_ID, ""), Sum())
    if wanted.users:
        whole.users = await unique_users(session, query)
    return whole.figures(family.bits)


async def unique_users(session: AsyncSession, query: UsageQuery) -> int:
    """How many people made the requests of a query."""
    return (await _users(session, query, None)).get((NO_ID, ""), 0)


async def breakdown(
    session: AsyncSession,
    query: UsageQuery,
    dimension: str,
    first: int,
    wanted: Wanted,
    others: Wanted | None = None,
) -> tuple[list[Group], Figures | None]:
    """The `first` groups that cost most, and all the rest together, None without any.

    `others`: what is wanted of the rest, by default the same.
    """
    others = others or wanted
    if is_raw(query, dimension, wanted):
        return await raw.breakdown(session, query, dimension, first, wanted)
    top = await top_of(session, query, dimension, first, wanted)
    if top.whole is None:
        top.whole = await _whole(session, query, others)
    return top.split()


async def top_of(
    session: AsyncSession, query: UsageQuery, dimension: str, first: int, wanted: Wanted
) -> Sums:
    """The `first` groups that cost most, and all together where that is no further work."""
    family = _family(query, dimension)
    if family is None:
        raise TypeError("Only the raw rows know these groups.")
    if family is TIMES:
        top = (await _every(session, query, dimension, wanted)).first(first)
    else:
        groups = await _top(session, family, query, dimension, first, wanted)
        top = Sums(groups, family.bits)
    if wanted.users:
        top.users = await _users(session, query, dimension, list(top.groups))
    return top


async def series(
    session: AsyncSession,
    query: UsageQuery,
    starts: Sequence[datetime],
    wanted: Wanted,
) -> list[Figures]:
    """Figures of the spans that begin at `starts`, in order; each ends where the next begins."""
    now = datetime.now(UTC)
    _, until = cells.span_of(query, now)
    family = _family(query, None)
    if family is None:
        return await raw.series(session, query, starts, wanted)
    if family is TIMES:
        found = segments(starts, until, now)
        made = cells.of_segments(query, found, histograms=wanted.percentiles)
    else:
        found = segments(starts, until, now, days.grains_of(family))
        if wanted.users or found.pieces.raw > (until - starts[0]) * _MOST_RAW:
            return await raw.series(session, query, starts, wanted)
        made = days.of_segments(family, query, found, histograms=wanted.percentiles)
    if wanted.users and not _has_visits(query):
        return await raw.series(session, query, starts, wanted)
    every = [Sum() for _ in starts]
    for row in await _rows(session, made):
        every[row["place"]] = _sum(row)
    if wanted.users:
        came = pieces(starts, until, now, cells.grains_of(query, None))
        users = {
            row["place"]: row["users"]
            for row in await _rows(session, cells.visits(query, came, None))
        }
        for place, each in enumerate(every):
            each.users = users.get(place, 0)
    return [each.figures(family.bits) for each in every]


def _family(query: UsageQuery, dimension: str | None) -> Family | None:
    return next((each for each in FAMILIES if each.knows(query, dimension)), None)


async def _rows(session: AsyncSession, made: tuple[Any, dict[str, Any]]) -> list[Any]:
    return list((await session.execute(*made)).mappings())


def _sum(row: Any) -> Sum:
    found = Sum.of(row)
    found.unpack(row["latency"], row["first_token"])
    return found


async def _groups(
    session: AsyncSession,
    family: Family,
    query: UsageQuery,
    dimension: str | None,
    wanted: Wanted,
) -> Found:
    """Every group there is."""
    now = datetime.now(UTC)
    span = cells.span_of(query, now)
    if family is TIMES:
        found = pieces([span[0]], span[1], now)
        made = cells.of_times(query, found, dimension, histograms=wanted.percentiles)
    else:
        cut = day_pieces(*span, now)
        made = days.of_days(family, query, cut, dimension, histograms=wanted.percentiles)
    return {(row["id"], row["name"]): _sum(row) for row in await _rows(session, made)}


async def _every(session: AsyncSession, query: UsageQuery, dimension: str, wanted: Wanted) -> Sums:
    """Every group of cells of time, and all together."""
    now = datetime.now(UTC)
    since, until = cells.span_of(query, now)
    found = pieces([since], until, now)
    made = cells.of_times(query, found, dimension, histograms=wanted.percentiles, whole=True)
    sums = Sums({}, TIMES.bits, Sum(), complete=True)
    for row in await _rows(session, made):
        if row["id"] is None:
            sums.whole = _sum(row)
        else:
            sums.groups[row["id"], row["name"]] = _sum(row)
    return sums


async def _whole(session: AsyncSession, query: UsageQuery, wanted: Wanted) -> Sum:
    """All groups together, by the smallest cells that know; histograms are coarse."""
    family = _family(query, None)
    if family is None:
        raise TypeError("What groups can be told of, all can.")
    found = (await _groups(session, family, query, None, wanted)).get((NO_ID, ""), Sum())
    return found.coarsened() if family is TIMES else found


async def _top(
    session: AsyncSession,
    family: Family,
    query: UsageQuery,
    dimension: str,
    first: int,
    wanted: Wanted,
) -> Found:
    """The groups that cost most: among the few that can, if that is proven, else among all."""
    now = datetime.now(UTC)
    span = cells.span_of(query, now)
    cut = day_pieces(*span, now)
    top: Found = {}
    at_once = False
    rows: dict[tuple[Any, str], Any] = {}
    async for within, bound in _candidates(session, query, dimension, first, span):
        if within is None and family is not ORGANIZATIONS:
            # Organisations are few: all their sums cost less than finding the dearest first.
            made = days.dearest(family, query, cut, dimension, first)
            within = [(row["id"], row["name"]) for row in await _rows(session, made)]
        # A few groups more are no reason to read the cells of the first ones twice.
        at_once = wanted.percentiles and within is not None and len(within) <= 2 * first
        made = days.of_days(family, query, cut, dimension, histograms=at_once, within=within)
        rows = {(row["id"], row["name"]): row for row in await _rows(session, made)}
        every = {key: Sum.of(row) for key, row in rows.items()}
        top = dearest(every, first)
        least = min((each.counts["cost"] for each in top.values()), default=0)
        if bound is None or (len(top) == first and least > bound):
            break
    if at_once:
        return {key: _sum(rows[key]) for key in top}
    if wanted.percentiles and top:
        made = days.of_days(family, query, cut, dimension, histograms=True, within=list(top))
        for row in await _rows(session, made):
            top[row["id"], row["name"]] = _sum(row)
    return top


async def _candidates(
    session: AsyncSession,
    query: UsageQuery,
    dimension: str,
    first: int,
    span: tuple[datetime, datetime],
) -> AsyncIterator[Candidates]:
    if _is_narrow(query):
        yield EVERY
        return
    async for each in candidates(session, dimension, first, *span):
        yield each


def _is_narrow(query: UsageQuery) -> bool:
    """Whether few groups are left, which are not the ones that cost most of all."""
    one = (query.user, query.organization, query.api_key, query.provider, query.model)
    return not query.reach.everybody or any(each is not None for each in one)


def _has_visits(query: UsageQuery) -> bool:
    return TIMES.knows(query, None) and query.statuses is None and query.byok is None


def _counts_users(query: UsageQuery, dimension: str) -> bool:
    """Whether people are counted by group without the raw rows."""
    by_caller = CALLERS.knows(query, dimension)
    return by_caller or (dimension == "PROVIDER" and _has_visits(query))


async def _users(
    session: AsyncSession, query: UsageQuery, dimension: str | None, top: Groups | None = None
) -> dict[tuple[Any, Any], int]:
    """People by group; of a breakdown's other groups together under (None, None)."""
    now = datetime.now(UTC)
    span = cells.span_of(query, now)
    if _has_visits(query) and dimension in (None, "PROVIDER"):
        came = pieces([span[0]], span[1], now, cells.grains_of(query, dimension))
        made = cells.visits(query, came, dimension, top)
    elif CALLERS.knows(query, dimension):
        made = cells.callers(query, day_pieces(*span, now, signed=False), dimension, top)
    else:
        found = await raw.totals(session, query, Wanted(percentiles=False))
        return {(NO_ID, ""): found.users or 0}
    return {(row["id"], row["name"]): row["users"] for row in await _rows(session, made)}
