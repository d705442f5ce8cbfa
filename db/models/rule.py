"""Routing rules: versioned sets per scope; a published version never changes."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from db.models.base import Entity


class RoutingRule(Entity):
    """One version of one scope's rule set.

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
