"""Idempotency keys: what a caller's create made the first time."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class IdempotencyKey(Base):
    """One key of one caller, kept for 24 hours.

    `key_hash` is SHA-256 of the key, `input_hash` of the operation and its input; neither is kept
    in clear. `object_id` is what was made: never a secret, so a replay cannot show one again.
    """

    __tablename__ = "idempotency_keys"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    input_hash: Mapped[bytes]
    object_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
