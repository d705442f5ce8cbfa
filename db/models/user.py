"""People, the organisations they belong to, and their settings."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Entity


class Organization(Entity):
    """A tenant: owns keys, rules, wallets and limits.

    `issuer` and `group_name` are of the identity provider's group it follows, NULL without one.
    """

    __tablename__ = "organizations"
    __table_args__ = (UniqueConstraint("issuer", "group_name"),)

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    issuer: Mapped[str | None]
    group_name: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    limits: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class User(Entity):
    """A person, named by the identity provider's (issuer, subject).

    The built-in administrator and people made by hand have issuer `fairlead`. `token_at` is when
    the newest of their tokens was issued, `last_seen_at` when it was first taken; NULL for never.
    """

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    issuer: Mapped[str]
    subject: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    role: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default="true")
    last_seen_at: Mapped[datetime | None]
    token_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    limits: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


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
    """A person's own choices. Without a row, or a level, the rules' default level applies.

    `preferences` are the web app's and other clients' own.
    """

    __tablename__ = "user_llm_settings"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    power_level: Mapped[str | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
