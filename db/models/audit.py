"""What was changed, by whom: appended, never altered, each entry chained to the one before."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from db.models.base import Base


class AuditEntry(Base):
    """One change. `number` is taken under an advisory lock, so it follows commit order.

    `hash` is SHA-256 over `previous_hash` and the entry's canonical content (domain/audit.py).
    `user_id` NULL: the operator's command line, or Fairlead itself. There are no foreign keys:
    an entry outlives what it speaks of. A trigger refuses UPDATE, DELETE and TRUNCATE.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_object", "object_id", "number"),
        Index("ix_audit_log_user", "user_id", "number"),
        Index("ix_audit_log_at", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    at: Mapped[datetime]
    user_id: Mapped[uuid.UUID | None]
    api_key_id: Mapped[uuid.UUID | None]
    request_id: Mapped[uuid.UUID | None]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[uuid.UUID | None]
    # JSON and not JSONB: the text, and with it every digit, stays as it was hashed.
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]
