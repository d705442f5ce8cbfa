"""Receivers of events, what they are signed with, and the outbox of deliveries."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Entity


class Webhook(Entity):
    """An address that is told of events.

    `organization_id` NULL: it hears of the whole installation. `failing_since` is the first
    failure after the last success. `disabled_reason` is set when Fairlead switched it off.
    """

    __tablename__ = "webhooks"

    organization_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    url: Mapped[str]
    event_types: Mapped[list[str]]
    enabled: Mapped[bool] = mapped_column(server_default="true")
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class WebhookSecret(Entity):
    """One sealed signing secret. `expires_at` NULL: the current one; others sign until then."""

    __tablename__ = "webhook_secrets"

    webhook_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("webhooks.id", ondelete="CASCADE"), index=True
    )
    ciphertext: Mapped[bytes]
    master_key_id: Mapped[str]
    expires_at: Mapped[datetime | None]


class WebhookDelivery(Entity):
    """One event for one webhook; the body is kept as it is signed, so that every attempt is equal.

    `state`: PENDING, DELIVERED or FAILED. `due_at`: when it is tried next; while an attempt is
    under way, when another process may take it over. `attempts`: `[{"at", "status", "latency_ms",
    "error"}]`, the oldest first. `started` counts the attempts that began.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "ix_webhook_deliveries_due",
            "webhook_id",
            "due_at",
            postgresql_where=text("state = 'PENDING'"),
        ),
        Index("ix_webhook_deliveries_webhook", "webhook_id", "id"),
        Index("ix_webhook_deliveries_created_at", "created_at"),
    )

    webhook_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[uuid.UUID]
    event_type: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="PENDING")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    replay_of: Mapped[uuid.UUID | None]
