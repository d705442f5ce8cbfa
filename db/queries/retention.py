"""Partitions of usage that are no longer kept: found, and dropped whole."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text

from db.queries.settlement import SETTLING
from db.session import AsyncSession

_FOUND = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid"
    " WHERE inhparent IN ('llm_usage_logs'::regclass, 'llm_decisions'::regclass)"
    " AND right(relname, 8) < :day ORDER BY right(relname, 8), relname"
)
_SETTLING = text(SETTLING)
"""The lock of settlements, which write into partitions."""
_IMPATIENCE = text("SET LOCAL lock_timeout = '2s'")
"""Rather another time than have every reader wait behind us for one of them."""


async def partitions_before(session: AsyncSession, day: date) -> Sequence[str]:
    """Names of the partitions of earlier days, the oldest first."""
    return list(await session.scalars(_FOUND, {"day": f"{day:%Y%m%d}"}))


async def drop_partition(session: AsyncSession, name: str) -> None:
    """In its own transaction. Another process may have been first."""
    await session.execute(_IMPATIENCE)
    await session.execute(_SETTLING)
    await session.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
