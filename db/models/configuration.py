"""The numbered feed of configuration changes, and the processes that apply it."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class ConfigChange(Base):
    """One committed change; `number`, taken under an advisory lock, follows commit order."""

    __tablename__ = "config_changes"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str]
    object_id: Mapped[uuid.UUID | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Process(Base):
    """A running replica: beats every 5 s; silent for 15 s means gone.

    `refused` is a change it cannot read, so that it goes on with what it has applied.
    """

    __tablename__ = "processes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    host: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    beat_at: Mapped[datetime] = mapped_column(server_default=func.now())
    applied: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int | None] = mapped_column(BigInteger)
