"""Budgets that are used up in part or whole, each told of once for each share."""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Table, text, update

from db.keyset import Row
from db.models.hold import Budget
from db.session import AsyncSession

_BUDGETS: Table = Budget.metadata.tables[Budget.__tablename__]

_REACHED = text(
    """
    WITH subjects AS (
        SELECT id, 'API_KEY' AS kind, limits, organization_id FROM api_keys WHERE limits <> '{}'
        UNION ALL SELECT id, 'USER', limits, NULL FROM users WHERE limits <> '{}'
        UNION ALL SELECT id, 'ORGANIZATION', limits, id FROM organizations WHERE limits <> '{}'
    )
    SELECT b.id, b.kind, b.subject_id, b.period, b.starts_on, b.spent, within.nano AS most,
        reached.share, s.organization_id
    FROM budgets b
    JOIN subjects s ON s.id = b.subject_id AND s.kind = b.kind
    CROSS JOIN LATERAL (
        SELECT (s.limits ->> ('spend_per_' || lower(b.period)))::bigint AS nano
    ) within
    CROSS JOIN LATERAL (
        SELECT max(each) AS share FROM unnest(CAST(:shares AS integer[])) each
        WHERE b.spent * 100 >= within.nano * each
    ) reached
    WHERE b.starts_on >= :since AND within.nano > 0 AND reached.share > b.told
    ORDER BY b.id
    LIMIT 1000
    """
)


async def reached(session: AsyncSession, shares: Sequence[int], since: date) -> Sequence[Row]:
    """Budgets, of periods that began since, that have reached a share nobody was told of.

    `spent` and `most` in nano-USD, `share` the greatest one in percent; `organization_id` is of
    the organisation whose own affair it is, if it is one's.
    """
    found = await session.execute(_REACHED, {"shares": list(shares), "since": since})
    return found.all()


async def tell(session: AsyncSession, id: uuid.UUID, share: int) -> bool:
    """Whether it is for this process to tell of the share: nobody has."""
    found = await session.execute(
        update(_BUDGETS)
        .where(_BUDGETS.c.id == id, _BUDGETS.c.told < share)
        .values(told=share)
        .returning(_BUDGETS.c.id)
    )
    return found.first() is not None
