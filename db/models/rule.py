"""Routing rules: versioned sets per scope; a published version never changes, a draft does."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Entity


class RoutingRule(Entity):
    """One published version of one scope's rule set; a trigger lets only its `state` change.

    `body` holds what the scope sets (domain/rule.py, `RuleBody`): strategy, weights, aliases,
    fallbacks, options. A field that is absent is inherited from the wider scope.
    `scope_id` is NULL for GLOBAL, else an organisation or a user.
    """

    __tablename__ = "llm_routing_rules"
    __table_args__ = (
        Index(
            "uq_llm_routing_rules_version",
            "scope",
            "scope_id",
            "version",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "uq_llm_routing_rules_live",
            "scope",
            "scope_id",
            unique=True,
            postgresql_where=text("state = 'LIVE'"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    scope: Mapped[str]
    scope_id: Mapped[uuid.UUID | None]
    version: Mapped[int]
    state: Mapped[str]
    body: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    author_id: Mapped[uuid.UUID | None]
    published_at: Mapped[datetime | None]


class RoutingDraft(Entity):
    """What is being prepared for one scope; at most one, kept apart because it changes.

    `base_version` is the version in force that it was made on, 0 before the first. `revision`
    counts how often it was saved.
    """

    __tablename__ = "llm_routing_drafts"
    __table_args__ = (UniqueConstraint("scope", "scope_id", postgresql_nulls_not_distinct=True),)

    scope: Mapped[str]
    scope_id: Mapped[uuid.UUID | None]
    body: Mapped[dict[str, Any]]
    base_version: Mapped[int]
    revision: Mapped[int]
    note: Mapped[str | None]
    author_id: Mapped[uuid.UUID | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
