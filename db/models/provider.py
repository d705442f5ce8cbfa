"""Upstreams that serve models."""

from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Entity


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
