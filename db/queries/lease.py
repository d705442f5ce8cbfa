"""Leases of credits: holds that a process grants requests from without asking the database.

A lease's amount is what its process may still grant and what it has granted to requests that are
not settled: the settlement of each takes its part from it, once.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects import postgresql

from db.session import AsyncSession

SHARE = 32
"""A lease is at most this part of what is available."""
LIFE = timedelta(seconds=1)
"""How long a process may grant from a lease."""
UNLEASED = timedelta(seconds=5)
"""How long nothing is lent of a wallet that refused a request."""
_GRACE = timedelta(seconds=0.5)
"""After a lease's life, for its process to give the rest back."""

LENT = """
    lent AS (
        SELECT h.request_id, h.wallet_id, least(h.amount, p.amount) AS amount,
            h.amount <= p.amount AS whole
        FROM holds h JOIN parts p ON p.lease_id = h.request_id
    ), used_up AS (
        DELETE FROM holds h USING lent l WHERE h.request_id = l.request_id AND l.whole
    ), less AS (
        UPDATE holds h SET amount = h.amount - l.amount
        FROM lent l WHERE h.request_id = l.request_id AND NOT l.whole
    )
"""
"""Takes `parts` (lease_id, amount), one of each lease, from the leases that there are still: `lent`
is what was taken of which wallets, which are locked."""


class Wish(NamedTuple):
    """A lease of `amount` nano-USD, at least `least`, for requests of a wallet."""

    id: uuid.UUID
    wallet_id: uuid.UUID
    amount: int
    least: int


class Closing(NamedTuple):
    """A lease whose process grants nothing of it any more: `unspent` is what it has not granted."""

    id: uuid.UUID
    wallet_id: uuid.UUID
    unspent: int


class Part(NamedTuple):
    """What a request that was not dispatched had been granted of a lease."""

    request_id: uuid.UUID
    lease_id: uuid.UUID
    amount: int


_IDS = postgresql.ARRAY(postgresql.UUID)
_AMOUNTS = postgresql.ARRAY(postgresql.BIGINT)
_LOCK = text("SELECT 1 FROM wallets WHERE id = ANY (:ids) ORDER BY id FOR UPDATE").bindparams(
    bindparam("ids", type_=_IDS)
)
_LOCK_OF_LEASES = text(
    "SELECT 1 FROM wallets WHERE id IN (SELECT wallet_id FROM holds WHERE request_id = ANY (:ids))"
    " ORDER BY id FOR UPDATE"
).bindparams(bindparam("ids", type_=_IDS))
_FREE = """
    UPDATE wallets w SET held = w.held - l.amount
    FROM (SELECT wallet_id, sum(amount) AS amount FROM lent GROUP BY wallet_id) l
    WHERE w.id = l.wallet_id
"""
_CLOSE = text(
    f"""
    WITH parts AS (
        SELECT g.lease_id, g.amount FROM unnest(:ids, :amounts) AS g (lease_id, amount)
        JOIN holds h ON h.request_id = g.lease_id WHERE h.leased_until IS NOT NULL
    ), {LENT}
    {_FREE}
    """
).bindparams(bindparam("ids", type_=_IDS), bindparam("amounts", type_=_AMOUNTS))
_CLOSED = text(
    "UPDATE holds SET leased_until = NULL"
    " WHERE request_id = ANY (:ids) AND leased_until IS NOT NULL"
).bindparams(bindparam("ids", type_=_IDS))
_OPEN = text(
    f"""
    WITH able AS (
        SELECT a.id, a.wallet_id, a.least,
            least(a.amount, (w.posted - w.held + w.credit_limit) / {SHARE}) AS amount
        FROM unnest(:ids, :wallets, :amounts, :leasts) AS a (id, wallet_id, amount, least)
        JOIN wallets w ON w.id = a.wallet_id
        WHERE NOT w.frozen AND coalesce(w.unleased_until <= now(), true)
    ), made AS (
        INSERT INTO holds (request_id, wallet_id, amount, process_id, leased_until)
        SELECT id, wallet_id, amount, :process, now() + CAST(:life AS interval) FROM able
        WHERE amount > 0 AND amount >= least
        RETURNING request_id, wallet_id, amount
    ), of_wallets AS (
        UPDATE wallets w SET held = w.held + m.amount FROM made m WHERE w.id = m.wallet_id
    )
    SELECT request_id, amount FROM made
    """
).bindparams(
    bindparam("ids", type_=_IDS),
    bindparam("wallets", type_=_IDS),
    bindparam("amounts", type_=_AMOUNTS),
    bindparam("leasts", type_=_AMOUNTS),
)
_TAKE_BACK = text(
    f"""
    WITH given AS (
        SELECT * FROM unnest(:requests, :ids, :amounts) AS g (request_id, lease_id, amount)
    ), fresh AS (
        INSERT INTO settled_requests (request_id, spend)
        SELECT request_id, 0 FROM given ORDER BY request_id
        ON CONFLICT DO NOTHING RETURNING request_id
    ), parts AS (
        SELECT lease_id, sum(amount)::bigint AS amount FROM given JOIN fresh USING (request_id)
        GROUP BY lease_id
    ), {LENT}
    {_FREE}
    """
).bindparams(
    bindparam("requests", type_=_IDS),
    bindparam("ids", type_=_IDS),
    bindparam("amounts", type_=_AMOUNTS),
)
_UNLEASE = text(
    "UPDATE wallets SET unleased_until = now() + CAST(:unleased AS interval) WHERE id = :wallet"
)
_OTHERS = text(
    "SELECT EXISTS (SELECT FROM holds WHERE wallet_id = :wallet AND process_id <> :process"
    " AND leased_until > now() - CAST(:grace AS interval))"
)

_LEFT = text(
    "SELECT request_id FROM holds WHERE request_id = ANY (:ids) OR leased_until IS NOT NULL"
    " AND process_id IN (SELECT process_id FROM holds WHERE request_id = ANY (:ids))"
).bindparams(bindparam("ids", type_=_IDS))


async def renew(
    session: AsyncSession,
    process_id: uuid.UUID,
    wishes: Sequence[Wish],
    closing: Sequence[Closing],
) -> dict[uuid.UUID, int]:
    """Close leases, each once and for all, and open others; those that were, with what is lent.

    Nothing is lent of wallets that are frozen, of which a request was just refused, or of which
    the lease's share is less than its least.
    """
    wallets = {each.wallet_id for each in wishes} | {each.wallet_id for each in closing}
    await session.execute(_LOCK, {"ids": list(wallets)})
    await _close(session, closing)
    if not wishes:
        return {}
    found = await session.execute(
        _OPEN,
        {
            "ids": [each.id for each in wishes],
            "wallets": [each.wallet_id for each in wishes],
            "amounts": [each.amount for each in wishes],
            "leasts": [each.least for each in wishes],
            "process": process_id,
            "life": LIFE,
        },
    )
    return {row.request_id: row.amount for row in found}


async def _close(session: AsyncSession, closing: Sequence[Closing]) -> None:
    """Their wallets are locked."""
    if closing:
        ids = [each.id for each in closing]
        unspent = [each.unspent for each in closing]
        await session.execute(_CLOSE, {"ids": ids, "amounts": unspent})
        await session.execute(_CLOSED, {"ids": ids})


async def unlease(
    session: AsyncSession,
    process_id: uuid.UUID,
    wallet_id: uuid.UUID,
    closing: Sequence[Closing],
) -> bool:
    """Lend nothing of a wallet for a while and close leases of it; whether other processes may
    have something to give back."""
    await session.execute(_LOCK, {"ids": [wallet_id]})
    await _close(session, closing)
    await session.execute(_UNLEASE, {"wallet": wallet_id, "unleased": UNLEASED})
    others = {"wallet": wallet_id, "process": process_id, "grace": _GRACE}
    return bool(await session.scalar(_OTHERS, others))


async def left_by(session: AsyncSession, leases: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """What there is still of leases of a process that is gone, and of its others."""
    return (await session.scalars(_LEFT, {"ids": list(leases)})).all()


async def take_back(session: AsyncSession, parts: Collection[Part]) -> None:
    """Give back what requests were granted that were not dispatched: each once, whatever becomes
    of its record."""
    given: dict[str, list[Any]] = {
        "requests": [each.request_id for each in parts],
        "ids": [each.lease_id for each in parts],
        "amounts": [each.amount for each in parts],
    }
    await session.execute(_LOCK_OF_LEASES, {"ids": given["ids"]})
    await session.execute(_TAKE_BACK, given)
