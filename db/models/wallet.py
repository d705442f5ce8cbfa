"""Wallets and their ledger: what people and organisations have paid, used, and may still use.

Money in nano-USD. Every movement is one transfer with entries that sum to nothing: what a wallet
gains the house loses. Triggers refuse UPDATE, DELETE and TRUNCATE of transfers and entries, and a
statement of whose entries those of a transfer do not sum to nothing.
"""

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base

HOUSE = uuid.UUID(int=1)
"""The wallet on the other side of every transfer."""


class Wallet(Base):
    """One for each person and organisation, under its owner's id; made at its first movement.

    `posted` is the sum of its entries, `held` of the holds of requests under way. It never falls
    below its limit while it is not frozen; a request that cost more than was held freezes it.
    From `low_mark` on its credits are low: a tenth of what there was when it was last paid into.
    `told` is what webhooks have heard since: 1 that they are low, 2 that they are used up.
    Until `unleased_until` no process is lent any of it: a request was refused.
    """

    __tablename__ = "wallets"
    __table_args__ = (
        CheckConstraint("kind IN ('HOUSE', 'USER', 'ORGANIZATION')", name="kind"),
        CheckConstraint("held >= 0", name="held"),
        CheckConstraint("credit_limit >= 0", name="credit_limit"),
        CheckConstraint(
            "kind = 'HOUSE' OR frozen OR posted - held >= -credit_limit", name="overdraft"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    posted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    held: Mapped[int] = mapped_column(BigInteger, server_default="0")
    credit_limit: Mapped[int] = mapped_column(BigInteger, server_default="0")
    low_mark: Mapped[int] = mapped_column(BigInteger, server_default="0")
    told: Mapped[int] = mapped_column(server_default="0")
    frozen: Mapped[bool] = mapped_column(server_default="false")
    frozen_reason: Mapped[str | None]
    unleased_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Transfer(Base):
    """One movement. A CHARGE has its request's id.

    `idempotency_key` is unique for ever; `input_hash` is SHA-256 of what it was used for.
    """

    __tablename__ = "transfers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    input_hash: Mapped[bytes | None]
    reason: Mapped[str | None]
    actor_id: Mapped[uuid.UUID | None]
    api_key_id: Mapped[uuid.UUID | None]
    refers_to: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("transfers.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Entry(Base):
    """One side of a transfer. `balance` is the wallet's `posted` after it."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("transfer_id", "wallet_id"),
        Index("ix_entries_wallet", "wallet_id", "number"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfers.id"))
    wallet_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("wallets.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)
