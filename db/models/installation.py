"""Settings of the whole installation, each under its name."""

from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class InstallationSetting(Base):
    """Without a row the defaults of its kind apply."""

    __tablename__ = "installation_settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
