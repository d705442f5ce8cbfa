"""Answers of /v1 that are kept for who asks again with the same Idempotency-Key."""

import uuid
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class KeptAnswer(Base):
    """One key of one caller, for 24 hours.

    `id` is SHA-256 of caller and key, `fingerprint` a keyed digest of the request. `answer` is
    sealed; None while `process_id` works at it, empty when it is not kept.
    """

    __tablename__ = "llm_kept_answers"

    id: Mapped[bytes] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    request_id: Mapped[uuid.UUID]
    process_id: Mapped[uuid.UUID]
    answer: Mapped[bytes | None]
    master_key_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
