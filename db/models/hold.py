"""What requests under way may cost, set aside: of wallets, and of what may be spent in a period."""

import uuid
from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, UniqueConstraint, Uuid, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Hold(Base):
    """Nano-USD set aside for one request by the process that serves it.

    `wallet_id` NULL: only budgets are concerned. `function grant_holds` makes them. A lease is a
    hold too, under an id of its own: what the process has granted requests of it and what it has
    not yet. It grants none after `leased_until`, which is NULL for other holds and once the lease
    is closed.
    """

    __tablename__ = "holds"
    __table_args__ = (Index("ix_holds_process", "process_id", "created_at"),)

    request_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[uuid.UUID | None]
    amount: Mapped[int] = mapped_column(BigInteger)
    budget_ids: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), server_default="{}")
    process_id: Mapped[uuid.UUID]
    leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Budget(Base):
    """What a key, a person or an organisation has spent and holds within one day or month.

    The limit is not here: each hold brings the one that is in force. `id` follows from the rest
    (domain/budget.py). `told` is the share in percent of which webhooks have heard.
    """

    __tablename__ = "budgets"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id", "period", "starts_on"),
        CheckConstraint("held >= 0", name="held"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    period: Mapped[str]
    starts_on: Mapped[date]
    spent: Mapped[int] = mapped_column(BigInteger, server_default="0")
    held: Mapped[int] = mapped_column(BigInteger, server_default="0")
    told: Mapped[int] = mapped_column(server_default="0")


class SettledRequest(Base):
    """A request whose money is settled, once and for all: it outlives the spool."""

    __tablename__ = "settled_requests"

    request_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[uuid.UUID | None]
    spend: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[datetime] = mapped_column(server_default=func.now())
