"""Settles the money of a batch of requests, inside the transaction that inserts their rows.

It reads `usage_staging` (db/queries/settlement.py): `spend` is what a request is to pay and NULL
where nothing was held for it; `wallet_id` pays and may be NULL; `budget_ids` count it; `leased` of
the lease `lease_id` was granted to it.
"""

import uuid
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import text

from db.models.wallet import HOUSE
from db.queries.lease import LENT
from db.session import AsyncSession

OVERDRAWN = "A request cost more than was held for it."

_RANK = "CASE status WHEN 'UNKNOWN' THEN 2 WHEN 'RECOVERED' THEN 1 ELSE 0 END"
_DUE = f"""
    SELECT DISTINCT ON (id) id, wallet_id, spend, budget_ids, lease_id, leased FROM usage_staging
    WHERE spend IS NOT NULL OR status = 'UNKNOWN' ORDER BY id, {_RANK}
"""
_HOUSE = f"INSERT INTO wallets (id, kind) VALUES ('{HOUSE}', 'HOUSE') ON CONFLICT DO NOTHING"
_LOCK_WALLETS = f"""
    SELECT 1 FROM wallets WHERE id IN (
        SELECT wallet_id FROM usage_staging
        UNION SELECT h.wallet_id FROM holds h JOIN usage_staging s ON s.id = h.request_id
        UNION SELECT h.wallet_id FROM holds h JOIN usage_staging s ON s.lease_id = h.request_id
        UNION SELECT '{HOUSE}'::uuid
    ) ORDER BY id FOR UPDATE
"""
_LOCK_BUDGETS = """
    SELECT 1 FROM budgets WHERE id IN (
        SELECT unnest(budget_ids) FROM usage_staging
        UNION SELECT unnest(h.budget_ids) FROM holds h JOIN usage_staging s ON s.id = h.request_id
    ) ORDER BY id FOR UPDATE
"""
_SETTLE = f"""
    WITH due AS ({_DUE}), fresh AS (
        INSERT INTO settled_requests (request_id, wallet_id, spend)
        SELECT id, wallet_id, coalesce(spend, 0) FROM due ORDER BY id
        ON CONFLICT DO NOTHING RETURNING request_id
    ), released AS (
        DELETE FROM holds h USING due WHERE h.request_id = due.id
        RETURNING h.wallet_id, h.amount, h.budget_ids
    ), parts AS (
        SELECT lease_id, sum(leased)::bigint AS amount FROM due JOIN fresh ON request_id = id
        WHERE lease_id IS NOT NULL GROUP BY lease_id
    ), {LENT}, spent AS (
        SELECT due.* FROM due JOIN fresh ON fresh.request_id = due.id WHERE due.spend > 0
    ), paid AS (
        SELECT id, wallet_id, spend,
            sum(spend) OVER (PARTITION BY wallet_id ORDER BY id) AS so_far,
            sum(spend) OVER (ORDER BY id) AS altogether
        FROM spent WHERE wallet_id IS NOT NULL
    ), moves AS (
        SELECT id, sum(spend) AS spend, sum(held) AS held FROM (
            SELECT wallet_id, spend, 0 FROM paid
            UNION ALL SELECT wallet_id, 0, amount FROM released WHERE wallet_id IS NOT NULL
            UNION ALL SELECT wallet_id, 0, amount FROM lent
            UNION ALL SELECT '{HOUSE}'::uuid, -spend, 0 FROM paid
        ) AS each (id, spend, held) GROUP BY id
    ), of_wallets AS (
        UPDATE wallets w SET
            posted = w.posted - m.spend,
            held = w.held - m.held,
            frozen = w.frozen OR m.overdrawn,
            frozen_reason = CASE
                WHEN m.overdrawn AND NOT w.frozen THEN '{OVERDRAWN}' ELSE w.frozen_reason
            END
        FROM (
            SELECT m.*, b.kind <> 'HOUSE'
                AND b.posted - m.spend - (b.held - m.held) < -b.credit_limit AS overdrawn
            FROM moves m JOIN wallets b ON b.id = m.id
        ) m WHERE w.id = m.id
    ), of_budgets AS (
        UPDATE budgets b SET spent = b.spent + m.spend, held = b.held - m.held
        FROM (
            SELECT id, sum(spend) AS spend, sum(held) AS held FROM (
                SELECT unnest(budget_ids), spend, 0 FROM spent
                UNION ALL SELECT unnest(budget_ids), 0, amount FROM released
            ) AS each (id, spend, held) GROUP BY id
        ) m WHERE b.id = m.id
    ), charged AS (
        INSERT INTO transfers (id, kind, idempotency_key)
        SELECT id, 'CHARGE', 'request:' || id FROM paid
    )
    INSERT INTO entries (transfer_id, wallet_id, amount, balance)
    SELECT paid.id, paid.wallet_id, -paid.spend, w.posted - paid.so_far
    FROM paid JOIN wallets w ON w.id = paid.wallet_id
    UNION ALL
    SELECT paid.id, '{HOUSE}'::uuid, paid.spend, w.posted + paid.altogether
    FROM paid JOIN wallets w ON w.id = '{HOUSE}'
    ORDER BY 1
"""


_CROSSED = """
    UPDATE wallets w SET told = now.level FROM (
        SELECT id, CASE
            WHEN posted + credit_limit <= 0 THEN 2
            WHEN posted + credit_limit <= low_mark THEN 1
            ELSE 0
        END AS level
        FROM wallets WHERE id IN (SELECT wallet_id FROM usage_staging) AND kind <> 'HOUSE'
    ) now WHERE w.id = now.id AND now.level > w.told
    RETURNING w.id, w.kind, w.posted, w.credit_limit, w.low_mark, now.level
"""
"""The wallets are locked, so each crossing is seen by one batch."""
_USED_UP = text(
    """
    UPDATE wallets SET told = 2 WHERE id = ANY(:ids) AND told = 1
    RETURNING id, kind, posted, credit_limit, low_mark, told AS level
    """
)


class Crossing(NamedTuple):
    """A wallet (USER or ORGANIZATION) whose credits are low, `level` 1, or used up, 2; once for
    each payment. Nano-USD."""

    id: uuid.UUID
    kind: str
    posted: int
    credit_limit: int
    low_mark: int
    level: int


async def settle_money(driver: Any) -> list[Crossing]:
    """Charge what was used and give back what was held, each request once and for all; gives the
    wallets that are low from now on.

    A request's part of a lease is taken from the lease's hold. What it costs beyond what was held
    and what else is there becomes debt, and freezes the wallet. A request that is settled already
    only gives its own hold back.
    """
    # In one round trip: until the commit, whoever holds credits of these wallets waits.
    await driver.execute(";".join((_HOUSE, _LOCK_WALLETS, _LOCK_BUDGETS, _SETTLE)))
    return [Crossing(*row) for row in await driver.fetch(_CROSSED)]


async def used_up(session: AsyncSession, ids: Collection[uuid.UUID]) -> list[Crossing]:
    """Of wallets that refused a request, those that were low and of which nobody has told yet."""
    found = await session.execute(_USED_UP, {"ids": list(ids)})
    return [Crossing(*row) for row in found]
