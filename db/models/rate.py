"""What each key, person and organisation used of its rates in the last minute.

Both tables are unlogged: after a crash of the server the last minute is forgotten, nothing else.
"""

import uuid

from sqlalchemy import ARRAY, BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class RateWindow(Base):
    """One subject's window of one rate (domain/rate.py): `counts[1]` is of slot `slot`."""

    __tablename__ = "rate_windows"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    rate: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class RateRunning(Base):
    """How many requests of a subject a process has running; it counts while the process beats."""

    __tablename__ = "rate_running"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    process_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    running: Mapped[int]
