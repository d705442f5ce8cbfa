"""Fairlead's own API keys, kept only as keyed hashes, and the pepper that keys them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Entity


class Pepper(Entity):
    """The HMAC key for API-key hashes, sealed under the master key."""

    __tablename__ = "peppers"

    ciphertext: Mapped[bytes]
    master_key_id: Mapped[str]


class ApiKey(Entity):
    """A key an application or a person signs in with.

    `public_id` is the 12 characters after `fl_`; `hash` is HMAC-SHA256(pepper, whole key).
    After a rotation the text before has `previous_hash` and goes on until `previous_until`.
    `creator_key_id` is the key that its maker was signed in with: its rights bound this one's.
    `allowed_models` NULL means any, `cache_seconds` NULL that
    nothing is answered from the cache. `limits` is reserved for rates and spend (empty: none).
    """

    __tablename__ = "api_keys"

    public_id: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[bytes]
    pepper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("peppers.id"))
    name: Mapped[str]
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    organization_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    scopes: Mapped[list[str]]
    allowed_models: Mapped[list[str] | None]
    cache_seconds: Mapped[int | None]
    limits: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    creator_key_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("api_keys.id", ondelete="SET NULL"), index=True
    )
    previous_hash: Mapped[bytes | None]
    previous_pepper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("peppers.id"))
    previous_until: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
