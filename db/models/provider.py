"""Upstreams that serve models."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Entity


class Provider(Entity):
    """An upstream that serves models, for example OpenAI.

    `options`: `{"connect_timeout_ms", "first_token_timeout_ms", "total_timeout_ms"}`, all optional.
    `version` grows by one at each update (optimistic locking).
    """

    __tablename__ = "llm_providers"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    type: Mapped[str]
    base_url: Mapped[str]
    region: Mapped[str | None]
    priority: Mapped[int] = mapped_column(server_default="100")
    enabled: Mapped[bool] = mapped_column(server_default="true")
    options: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class ProviderTest(Base):
    """What the last real call to a provider found; in the database, so that replicas agree.

    `error` holds the provider's own words, cut to 500 characters.
    """

    __tablename__ = "provider_tests"

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("llm_providers.id", ondelete="CASCADE"), primary_key=True
    )
    ok: Mapped[bool]
    latency_ms: Mapped[int]
    http_status: Mapped[int | None]
    error: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
