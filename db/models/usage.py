"""What each request used and cost, and why it went where it went.

Both tables are range-partitioned by their UUIDv7 key, whose first 48 bits are the request's
start in milliseconds: a day is a range of keys, so the primary key stays unique across replays
and retention drops partitions. Partitions are made by db/queries/settlement.py.
"""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class UsageLog(Base):
    """One finished request. Money in nano-USD; NULL `cost` means the price was unknown.

    Names are copied, not referenced: the log outlives the providers, models and keys it names.
    """

    __tablename__ = "llm_usage_logs"
    __table_args__ = (
        Index("ix_llm_usage_logs_batch", "batch"),
        Index("ix_llm_usage_logs_user", "user_id", "id"),
        Index("ix_llm_usage_logs_organization", "organization_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    batch: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    user_id: Mapped[uuid.UUID]
    organization_id: Mapped[uuid.UUID | None]
    api_key_id: Mapped[uuid.UUID | None]
    requested_model: Mapped[str]
    provider_id: Mapped[uuid.UUID | None]
    provider_slug: Mapped[str | None]
    model_id: Mapped[uuid.UUID | None]
    model_name: Mapped[str | None]
    price_id: Mapped[uuid.UUID | None]
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_1h_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    usage_source: Mapped[str]
    cost: Mapped[int | None] = mapped_column(BigInteger)
    credits_charged: Mapped[int] = mapped_column(BigInteger, server_default="0")
    key_owner: Mapped[str | None]
    latency_ms: Mapped[int]
    first_token_ms: Mapped[int | None]
    status: Mapped[str]
    error_class: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger)
    streamed: Mapped[bool]


class DecisionLog(Base):
    """The decision record of one request (domain/decision.py) and its attempts."""

    __tablename__ = "llm_decisions"
    __table_args__ = ({"postgresql_partition_by": "RANGE (id)"},)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    decision: Mapped[dict[str, Any] | None]
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class SettlementBatch(Base):
    """One committed batch of usage rows. `number` follows commit order, so it can be tailed.

    `cost` is nano-USD: what it added to all groups together (db.queries.week_costs.py).
    """

    __tablename__ = "settlement_batches"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    rows: Mapped[int]
    cost: Mapped[Decimal] = mapped_column(server_default="0")
