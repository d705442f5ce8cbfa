"""Settlement batches in the order of their commits: how subscribers' processes tail them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import func, select

from db.models.usage import SettlementBatch, UsageLog
from db.session import AsyncSession

_SPAN_BATCHES = 200


async def latest_batch(session: AsyncSession) -> int:
    """The newest committed number, 0 before the first batch."""
    return await session.scalar(select(func.coalesce(func.max(SettlementBatch.number), 0))) or 0


async def latest_span(session: AsyncSession, *, max_rows: int) -> tuple[int, int]:
    """(before, newest): the newest batches, after `before`, that hold at most `max_rows`."""
    newest = await session.execute(
        select(SettlementBatch.number, SettlementBatch.rows)
        .order_by(SettlementBatch.number.desc())
        .limit(_SPAN_BATCHES)
    )
    before = last = total = 0
    for number, rows in newest:
        last = last or number
        before = number
        total += rows
        if total > max_rows:
            return before, last
    return max(before - 1, 0), last


async def batches_after(
    session: AsyncSession, number: int, *, max_rows: int
) -> list[tuple[int, Sequence[Any]]]:
    """(number, usage rows) of the batches that follow, in commit order.

    At least one batch if there is one; no further ones once `max_rows` would be exceeded.
    """
    following = await session.execute(
        select(SettlementBatch.number, SettlementBatch.rows)
        .where(SettlementBatch.number > number)
        .order_by(SettlementBatch.number)
        .limit(max_rows)
    )
    last, total = None, 0
    for batch, rows in following:
        total += rows
        if last is not None and total > max_rows:
            break
        last = batch
    if last is None:
        return []
    usage = UsageLog.__table__.c
    found = await session.execute(
        select(*usage)
        .where(usage.batch > number, usage.batch <= last)
        .order_by(usage.batch, usage.id)
    )
    return [(batch, list(rows)) for batch, rows in groupby(found, key=lambda row: row.batch)]
