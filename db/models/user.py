"""People, the organisations they belong to, and their settings."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Entity


class Organization(Entity):
    """A tenant: owns keys, rules, wallets and limits."""

    __tablename__ = "organizations"

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class User(Entity):
    """A person, named by the identity provider's (issuer, subject).

    The built-in administrator of an installation without OpenID has issuer `fairlead`.
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    issuer: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    role: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default="true")


class Membership(Base):
    """A person in an organisation. `origin` TOKEN follows the identity provider, MANUAL stays."""

    __tablename__ = "memberships"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str]
    origin: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UserSettings(Base):
    """A person's own choices. Without a row the defaults apply (power level BALANCED)."""

    __tablename__ = "user_llm_settings"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    power_level: Mapped[str]
    preferences: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
