"""The rules of wallets: who pays in, what is given back, how far a balance may fall."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import wallet as queries
from db.session import AsyncSession, actor_of
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, InsufficientCredits, InvalidInput, NotFound
from domain.idempotency import Keyed
from domain.pricing import dollars

MOST = 1_000_000_000 * 1_000_000_000
"""Nano-USD; a billion dollars."""
_LONGEST_REASON = 500


class TransferKind(StrEnum):
    """Why credits moved."""

    TOP_UP = "TOP_UP"
    GRANT = "GRANT"
    ADJUST = "ADJUST"
    REFUND = "REFUND"
    CHARGE = "CHARGE"


_REFUNDABLE = frozenset({TransferKind.TOP_UP, TransferKind.GRANT, TransferKind.CHARGE})


@dataclass(frozen=True, slots=True)
class Order:
    """What an administrator asks for, and the key under which it happens once, for ever."""

    keyed: Keyed
    reason: str

    @property
    def key(self) -> str:
        """Each caller's own; the key itself is not kept in clear."""
        return f"{self.keyed.user_id}:{self.keyed.key_hash.hex()}"


def available(wallet: Row) -> int:
    """What new requests may hold."""
    room: int = wallet.posted - wallet.held + wallet.credit_limit
    return room


def debt(wallet: Row) -> int:
    """By how much requests have overdrawn it."""
    owed: int = max(0, -wallet.posted - wallet.credit_limit)
    return owed


async def credit_wallet(
    session: AsyncSession, order: Order, owner_id: uuid.UUID, amount: int, kind: TransferKind
) -> uuid.UUID:
    """Pay in; the transfer's id. Raises InvalidInput, NotFound or Conflict."""
    if not 0 < amount <= MOST:
        raise InvalidInput("amount", "More than nothing, and at most a billion dollars.")

    async def make() -> uuid.UUID:
        wallet = await _locked(session, owner_id)
        return await _move(session, order, kind, AuditAction.CREDIT, wallet, amount)

    return await _once(session, order, make)


async def adjust_wallet(
    session: AsyncSession, order: Order, owner_id: uuid.UUID, amount: int
) -> uuid.UUID:
    """Put a balance right, upwards or downwards. Raises InsufficientCredits for too much."""
    if amount == 0 or abs(amount) > MOST:
        raise InvalidInput("amount", "Not nothing, and at most a billion dollars.")

    async def make() -> uuid.UUID:
        wallet = await _locked(session, owner_id)
        return await _move(session, order, TransferKind.ADJUST, AuditAction.ADJUST, wallet, amount)

    return await _once(session, order, make)


async def refund_transfer(
    session: AsyncSession, order: Order, transfer_id: uuid.UUID, amount: int | None
) -> uuid.UUID:
    """Reverse a transfer in part or, without `amount`, all that is left of it.

    Raises InvalidInput beyond the original, InsufficientCredits when what was paid in is used up.
    """

    async def make() -> uuid.UUID:
        original = await queries.movement_of(session, transfer_id)
        if original is None:
            raise NotFound("There is no such transfer.")
        if original.kind not in _REFUNDABLE:
            raise Conflict(f"A transfer of the kind {original.kind} cannot be refunded.")
        left = abs(original.amount) - original.refunded
        if left == 0:
            raise Conflict("This transfer has been refunded in full.")
        back = left if amount is None else amount
        if not 0 < back <= left:
            raise InvalidInput("amount", f"More than nothing, and at most ${dollars(left)}.")
        wallet = await _locked(session, original.wallet_id)
        signed = back if original.amount < 0 else -back
        return await _move(
            session,
            order,
            TransferKind.REFUND,
            AuditAction.REFUND,
            wallet,
            signed,
            refers_to=transfer_id,
        )

    return await _once(session, order, make)


async def set_credit_limit(
    session: AsyncSession, owner_id: uuid.UUID, limit: int, expected: int | None
) -> None:
    """How far below nothing a wallet may fall. Raises Conflict when it has fallen further."""
    if not 0 <= limit <= MOST:
        raise InvalidInput("creditLimit", "Not below nothing, and at most a billion dollars.")
    wallet = await _locked(session, owner_id, expected)
    if limit == wallet.credit_limit:
        return
    if not wallet.frozen and wallet.posted - wallet.held < -limit:
        used = dollars(wallet.held - wallet.posted)
        raise Conflict(f"${used} of credit is in use: top the wallet up first.")
    values = {"credit_limit": limit}
    if limit > wallet.credit_limit:
        values |= {"low_mark": max(wallet.posted + limit, 0) // queries.LOW_SHARE, "told": 0}
    await _change(session, wallet, values)


async def set_wallet_frozen(
    session: AsyncSession, owner_id: uuid.UUID, reason: str | None, expected: int | None
) -> None:
    """With a `reason` no request may use it; without one it is free again.

    Raises Conflict while what it owes is not paid.
    """
    wallet = await _locked(session, owner_id, expected)
    if reason is not None:
        text = checks.line("reason", reason, _LONGEST_REASON)
        await _change(session, wallet, {"frozen": True, "frozen_reason": text})
        return
    if not wallet.frozen:
        return
    if available(wallet) < 0:
        owed = dollars(-available(wallet))
        raise Conflict(f"It is overdrawn by ${owed}: top it up, or raise its credit limit, first.")
    await _change(session, wallet, {"frozen": False, "frozen_reason": None})


async def _change(session: AsyncSession, wallet: Row, values: dict[str, Any]) -> None:
    after = await queries.change_wallet(session, wallet.id, values)
    names = ("credit_limit", "frozen", "frozen_reason")
    await record(
        session,
        AuditAction.UPDATE,
        AuditObject.WALLET,
        wallet.id,
        before={name: getattr(wallet, name) for name in names},
        after={name: getattr(after, name) for name in names},
    )


async def _once(
    session: AsyncSession, order: Order, make: Callable[[], Awaitable[uuid.UUID]]
) -> uuid.UUID:
    """What was made under this key, now or before. Raises Conflict for another input."""
    checks.line("reason", order.reason, _LONGEST_REASON)
    used = await queries.transfer_by_key(session, order.key)
    if used is None:
        return await make()
    if used.input_hash != order.keyed.input_hash:
        raise Conflict("This idempotency key was used for another input.")
    found: uuid.UUID = used.id
    return found


async def _locked(session: AsyncSession, owner_id: uuid.UUID, expected: int | None = None) -> Row:
    kind = await queries.owner_kind(session, owner_id)
    if kind is None:
        raise NotFound("There is no such wallet.")
    wallet = await queries.locked_wallet(session, owner_id, kind)
    if expected is not None and expected != wallet.version:
        raise Conflict(f"This wallet is at version {wallet.version}, not {expected}.")
    return wallet


async def _move(
    session: AsyncSession,
    order: Order,
    kind: TransferKind,
    action: AuditAction,
    wallet: Row,
    amount: int,
    refers_to: uuid.UUID | None = None,
) -> uuid.UUID:
    if amount < 0 and -amount > available(wallet):
        has = dollars(max(0, available(wallet)))
        raise InsufficientCredits(f"The wallet has ${has} available, not ${dollars(-amount)}.")
    actor, id, reason = actor_of(session), uuid7(), order.reason.strip()
    values = {
        "id": id,
        "kind": kind,
        "idempotency_key": order.key,
        "input_hash": order.keyed.input_hash,
        "reason": reason,
        "actor_id": actor.user_id,
        "api_key_id": actor.api_key_id,
        "refers_to": refers_to,
    }
    moved = await queries.transfer(session, values, wallet.id, amount)
    await record(
        session,
        action,
        AuditObject.WALLET,
        wallet.id,
        before={"posted": wallet.posted},
        after={
            "posted": moved.posted,
            "transfer_id": str(id),
            "kind": kind,
            "amount": amount,
            "reason": reason,
            "refers_to": None if refers_to is None else str(refers_to),
        },
    )
    return id
