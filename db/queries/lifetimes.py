"""What each group has cost since the beginning: finds those that cost most without summing all.

No span can have cost a group more than its lifetime up to the last fold and all that was settled
since then. So when the last of the top groups cost more in the span than that, nothing is missing.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import TextClause, select, text

from db.models.rollup import UsageLifetime
from db.queries.usage_families import RAW_GROUPS
from db.session import AsyncSession, Database

Candidates = tuple[Sequence[tuple[uuid.UUID, str]] | None, int | None]
EVERY: Candidates = (None, None)

DIMENSIONS = ("MODEL", "USER", "API_KEY")
_TRIES = ((1, 5), (5, 0))
"""How many groups are looked at: so many times as are wanted, and so many more."""
_FOLD_BATCHES, _FOLD_ROWS = 2_000, 50_000
"""At once, so that a statement stays within its time."""

_SINCE = text(
    "SELECT coalesce(sum(cost), 0) FROM settlement_batches WHERE number >"
    " coalesce((SELECT batch FROM usage_folds), 0)"
)
_FOLD = text("SELECT batch FROM usage_folds FOR UPDATE")
_BEGIN = text("INSERT INTO usage_folds (id, batch) VALUES (true, 0) ON CONFLICT DO NOTHING")
_MOVE = text("UPDATE usage_folds SET batch = :last")
_LAST = text(
    "SELECT max(number) FROM (SELECT number, sum(rows) OVER (ORDER BY number) - rows AS before"
    " FROM settlement_batches WHERE number > :batch ORDER BY number LIMIT :most) following"
    " WHERE before < :rows"
)


async def candidates(session: AsyncSession, dimension: str, first: int) -> list[Candidates]:
    """Groups to sum, and what any other group cost at most; None: all groups, nothing is left."""
    if dimension not in DIMENSIONS:
        return [EVERY]
    # Before the lifetimes: what is folded between the two statements counts twice, not never.
    since = int(await session.scalar(_SINCE) or 0)
    most = [first * times + more for times, more in _TRIES]
    lifetime = UsageLifetime
    found = (
        await session.execute(
            select(lifetime.id, lifetime.name, lifetime.cost)
            .where(lifetime.dimension == dimension)
            .order_by(lifetime.cost.desc())
            .limit(max(most) + 1)
        )
    ).all()
    some: list[Candidates] = [
        ([(row.id, row.name) for row in found[:count]], found[count].cost + since)
        for count in most
        if len(found) > count
    ]
    return [*some, EVERY]


async def fold(database: Database) -> bool:
    """Take some more batches into the lifetimes; False when there is none."""
    async with database.write(None) as session:
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


def _add(dimension: str) -> TextClause:
    id, name = RAW_GROUPS[dimension]
    return text(
        "INSERT INTO usage_lifetimes (dimension, id, name, cost)"
        f" SELECT '{dimension}', {id}, {name}, coalesce(sum(u.cost), 0)::int8"
        " FROM llm_usage_logs u WHERE u.batch > :batch AND u.batch <= :last GROUP BY 2, 3"
        " ORDER BY 2, 3 ON CONFLICT (dimension, id, name)"
        " DO UPDATE SET cost = usage_lifetimes.cost + excluded.cost"
    )
