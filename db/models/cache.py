"""Answers kept for exact repeats, for keys that asked for it."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class CachedAnswer(Base):
    """`id` is a digest of tenant, request and model; `answer` is sealed, and goes when old."""

    __tablename__ = "llm_cached_answers"

    id: Mapped[bytes] = mapped_column(primary_key=True)
    answer: Mapped[bytes]
    master_key_id: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
