"""What each group has cost in each week: finds those that cost most without summing all.

No span can have cost a group more than the weeks it lies in, up to the last fold, and what was
settled since then: all of it, or where that is much, what the group cost in it. A group that is not
among the first of any week has cost at most as much as the last of them, each week. So when the
last of the top groups cost more in the span than all those together, nothing is missing.
"""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import TextClause, text

from db.queries.usage_facts import MOMENT
from db.queries.usage_families import RAW_GROUPS
from db.session import AsyncSession, Database

Candidates = tuple[Sequence[tuple[uuid.UUID, str]] | None, int | None]
EVERY: Candidates = (None, None)

DIMENSIONS = ("MODEL", "USER", "API_KEY")
_TRIES = ((1, 5), (2, 5), (5, 0), (25, 0))
"""How many groups of each week are looked at: so many times as are wanted, and so many more."""
_FOLD_BATCHES, _FOLD_ROWS = 2_000, 200_000
"""At once: a backlog's many rows are few groups, which 50,000 at a time would change twice as often
for each row."""
_WEEK = timedelta(days=7)

_SINCE = text(
    "SELECT f.batch, count(b.number) AS batches, coalesce(sum(b.cost), 0) AS cost"
    " FROM (SELECT coalesce((SELECT batch FROM usage_folds), 0) AS batch) f"
    " LEFT JOIN settlement_batches b ON b.number > f.batch GROUP BY f.batch"
)
_FIRST = text(
    "SELECT w.week, c.id, c.name, c.cost FROM unnest(CAST(:weeks AS date[])) w (week)"
    " CROSS JOIN LATERAL (SELECT id, name, cost FROM usage_week_costs"
    " WHERE dimension = :dimension AND week = w.week ORDER BY cost DESC LIMIT :most) c"
    " ORDER BY w.week, c.cost DESC"
)
_PATIENCE = text("SET LOCAL statement_timeout = '30s'")
_FOLD = text("SELECT batch FROM usage_folds FOR UPDATE")
_BEGIN = text("INSERT INTO usage_folds (id, batch) VALUES (true, 0) ON CONFLICT DO NOTHING")
_MOVE = text("UPDATE usage_folds SET batch = :last")
_LAST = text(
    "SELECT max(number) FROM (SELECT number, sum(rows) OVER (ORDER BY number) - rows AS before"
    " FROM settlement_batches WHERE number > :batch ORDER BY number LIMIT :most) following"
    " WHERE before < :rows"
)


async def candidates(
    session: AsyncSession, dimension: str, first: int, since: datetime, until: datetime
) -> AsyncIterator[Candidates]:
    """Groups to sum, and what any other group cost at most; None: all groups, nothing is left."""
    if dimension in DIMENSIONS:
        weeks = _weeks(since, until)
        # Before the weeks: what is folded between the statements counts twice, not never.
        unfolded = (await session.execute(_SINCE)).one()
        for times, more in _TRIES:
            count = first * times + more
            values = {"weeks": weeks, "dimension": dimension, "most": count + 1}
            found = _first(await session.execute(_FIRST, values), count)
            if unfolded.batches and unfolded.cost >= found.most:
                # So much is not folded that nothing could be left out for it.
                values = {"batch": unfolded.batch, "most": count + 1}
                found |= _first(await session.execute(_unfolded(dimension), values), count)
            elif unfolded.batches:
                found |= _Found(set(), int(unfolded.cost), False)
            yield list(found.groups), None if found.whole else found.most
            if found.whole:
                return
    yield EVERY


@dataclass(frozen=True, slots=True)
class _Found:
    """Groups, what any other cost at `most`, and whether there is none."""

    groups: set[tuple[uuid.UUID, str]]
    most: int
    whole: bool

    def __or__(self, other: "_Found") -> "_Found":
        groups, most = self.groups | other.groups, self.most + other.most
        return _Found(groups, most, self.whole and other.whole)


def _first(rows: Iterable[Any], count: int) -> _Found:
    """The first `count` groups of each week."""
    groups, seen, most = set(), Counter[date](), 0
    for row in rows:
        if seen[row.week] < count:
            groups.add((row.id, row.name))
        else:
            most += row.cost
        seen[row.week] += 1
    return _Found(groups, most, max(seen.values(), default=0) <= count)


def _weeks(since: datetime, until: datetime) -> list[date]:
    """Mondays, UTC."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    monday = first - timedelta(days=first.weekday())
    return [monday + n * _WEEK for n in range((last - monday).days // 7 + 1)]


async def fold(database: Database) -> bool:
    """Take some more batches into the weeks; False when there is none."""
    async with database.write(None) as session:
        await session.execute(_PATIENCE)
        await session.execute(_BEGIN)
        batch = int(await session.scalar(_FOLD) or 0)
        bounds = {"batch": batch, "most": _FOLD_BATCHES, "rows": _FOLD_ROWS}
        last: int | None = await session.scalar(_LAST, bounds)
        if last is None:
            return False
        for dimension in DIMENSIONS:
            await session.execute(_add(dimension), {"batch": batch, "last": last})
        await session.execute(_MOVE, {"last": last})
    return True


def _unfolded(dimension: str) -> TextClause:
    id, name = RAW_GROUPS[dimension]
    return text(
        f"SELECT CAST(NULL AS date) AS week, {id} AS id, {name} AS name,"
        " coalesce(sum(u.cost), 0)::int8 AS cost FROM llm_usage_logs u WHERE u.batch > :batch"
        " GROUP BY 2, 3 ORDER BY 4 DESC LIMIT :most"
    )


def _add(dimension: str) -> TextClause:
    id, name = RAW_GROUPS[dimension]
    return text(
        "INSERT INTO usage_week_costs (dimension, week, id, name, cost)"
        f" SELECT '{dimension}', date_trunc('week', {MOMENT}, 'UTC')::date, {id}, {name},"
        " coalesce(sum(u.cost), 0)::int8"
        " FROM llm_usage_logs u WHERE u.batch > :batch AND u.batch <= :last GROUP BY 2, 3, 4"
        " ORDER BY 2, 3, 4 ON CONFLICT (dimension, week, id, name)"
        " DO UPDATE SET cost = usage_week_costs.cost + excluded.cost"
    )
