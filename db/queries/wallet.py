"""Wallets and their ledger: read, and moved by transfers whose entries sum to nothing."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Table,
    Text,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.user import Organization, User
from db.models.wallet import HOUSE, Entry, Transfer, Wallet
from db.queries.usage import Reach
from db.session import AsyncSession

WALLETS: Table = Wallet.metadata.tables[Wallet.__tablename__]
ENTRIES: Table = Entry.metadata.tables[Entry.__tablename__]
TRANSFERS: Table = Transfer.metadata.tables[Transfer.__tablename__]
_USERS: Table = User.metadata.tables[User.__tablename__]
_ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]

LOW_SHARE = 10
"""Of what there is after a payment, the part from which on it is low."""
_OWNERS = union_all(
    select(_USERS.c.id, literal("USER").label("kind")),
    select(_ORGANIZATIONS.c.id, literal("ORGANIZATION").label("kind")),
).subquery("owners")
_REFUNDS = TRANSFERS.alias("refunds")
_REFUND_ENTRIES = ENTRIES.alias("refund_entries")
_REFUNDED = (
    select(func.coalesce(func.sum(func.abs(_REFUND_ENTRIES.c.amount)), 0))
    .join_from(_REFUNDS, _REFUND_ENTRIES, _REFUND_ENTRIES.c.transfer_id == _REFUNDS.c.id)
    .where(
        _REFUNDS.c.refers_to == TRANSFERS.c.id, _REFUND_ENTRIES.c.wallet_id == ENTRIES.c.wallet_id
    )
    .correlate(TRANSFERS, ENTRIES)
    .scalar_subquery()
)
_MOVEMENTS = select(
    TRANSFERS,
    ENTRIES.c.number,
    ENTRIES.c.wallet_id,
    ENTRIES.c.amount,
    ENTRIES.c.balance,
    cast(_REFUNDED, BigInteger).label("refunded"),
).join_from(ENTRIES, TRANSFERS, ENTRIES.c.transfer_id == TRANSFERS.c.id)


def _or(column: ColumnElement[Any], otherwise: Any, type_: Any) -> ColumnElement[Any]:
    return cast(func.coalesce(column, otherwise), type_).label(column.name)


async def wallets_by_owner(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Wallets by their owners' ids, empty ones where nothing has moved yet.

    Absent where there is no such person or organisation, or it is out of reach.
    """
    columns = WALLETS.c
    found = await session.execute(
        select(
            _OWNERS.c.id,
            _OWNERS.c.kind,
            _or(columns.posted, 0, BigInteger),
            _or(columns.held, 0, BigInteger),
            _or(columns.credit_limit, 0, BigInteger),
            _or(columns.frozen, False, Boolean),
            cast(columns.frozen_reason, Text).label("frozen_reason"),
            _or(columns.version, 1, BigInteger),
        )
        .join_from(_OWNERS, WALLETS, WALLETS.c.id == _OWNERS.c.id, isouter=True)
        .where(among(_OWNERS.c.id, ids), _within(_OWNERS.c.id, reach))
    )
    return {row.id: row for row in found}


def _within(owner: ColumnElement[Any], reach: Reach) -> ColumnElement[bool]:
    if reach.everybody:
        return true()
    own: ColumnElement[bool] = owner == reach.user
    return own if reach.organization is None else or_(own, owner == reach.organization)


def movements(*, descending: bool) -> tuple[Listed, Ordering]:
    """Each transfer as its wallets see it."""
    ordering = Ordering("wallet.NUMBER", (Key(ENTRIES.c.number, int),), descending)
    return Listed(_MOVEMENTS, ENTRIES.c.wallet_id), ordering


async def movements_by_transfer(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Transfers as their wallet sees them; absent when out of reach."""
    found = await session.execute(
        _MOVEMENTS.where(
            among(TRANSFERS.c.id, ids),
            ENTRIES.c.wallet_id != HOUSE,
            _within(ENTRIES.c.wallet_id, reach),
        )
    )
    return {row.id: row for row in found}


async def movement_of(session: AsyncSession, transfer_id: uuid.UUID) -> Row | None:
    """A transfer as its wallet sees it; whoever refunds it waits here for others who do."""
    lock = select(TRANSFERS.c.id).where(TRANSFERS.c.id == transfer_id).with_for_update()
    await session.execute(lock)
    found = await session.execute(
        _MOVEMENTS.where(TRANSFERS.c.id == transfer_id, ENTRIES.c.wallet_id != HOUSE)
    )
    return found.one_or_none()


async def owner_kind(session: AsyncSession, id: uuid.UUID) -> str | None:
    """USER, ORGANIZATION, or None when nobody has this id."""
    return await session.scalar(select(_OWNERS.c.kind).where(_OWNERS.c.id == id))


async def locked_wallet(session: AsyncSession, id: uuid.UUID, kind: str) -> Row:
    """A wallet, made if there was none, that nothing moves before this transaction ends.

    The house's is locked before it: every other place that locks several takes them by id.
    """
    made = [{"id": HOUSE, "kind": "HOUSE"}, {"id": id, "kind": kind}]
    await session.execute(postgresql.insert(WALLETS).values(made).on_conflict_do_nothing())
    locked = select(WALLETS).where(WALLETS.c.id.in_([HOUSE, id]))
    found = await session.execute(locked.order_by(WALLETS.c.id).with_for_update())
    return next(row for row in found if row.id == id)


async def transfer_by_key(session: AsyncSession, key: str) -> Row | None:
    """What an idempotency key was used for; waits for whoever is using it."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    found = await session.execute(select(TRANSFERS).where(TRANSFERS.c.idempotency_key == key))
    return found.one_or_none()


async def transfer(
    session: AsyncSession, values: Mapping[str, Any], wallet_id: uuid.UUID, amount: int
) -> Row:
    """Move `amount` from the house to a wallet that is locked, or back; the wallet as it is now."""
    await session.execute(insert(TRANSFERS).values(**values))
    moved: Row | None = None
    entries: list[dict[str, Any]] = []
    for id, sum in ((HOUSE, -amount), (wallet_id, amount)):
        changed = update(WALLETS).where(WALLETS.c.id == id)
        changed = changed.values(posted=WALLETS.c.posted + sum)
        if sum > 0:
            left = func.greatest(WALLETS.c.posted + sum + WALLETS.c.credit_limit, 0)
            changed = changed.values(low_mark=left // LOW_SHARE, told=0)
        moved = (await session.execute(changed.returning(*WALLETS.c))).one()
        entry = {"transfer_id": values["id"], "wallet_id": id, "amount": sum}
        entries.append(entry | {"balance": moved.posted})
    # One statement: each has to sum to nothing.
    await session.execute(insert(ENTRIES).values(entries))
    return moved


async def change_wallet(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    statement = update(WALLETS).where(WALLETS.c.id == id)
    statement = statement.values(**values, version=WALLETS.c.version + 1)
    return (await session.execute(statement.returning(*WALLETS.c))).one()
