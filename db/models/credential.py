"""Keys at providers: the system's, an organisation's or a user's (BYOK)."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Entity


class Credential(Entity):
    """One encrypted provider key.

    `ciphertext` opens only in this row, at this `version` and for this `destination`
    (auth/secrets.py). `spend_per_month`, nano-USD, bounds what others' keys may cost under
    MINE_THEN_SYSTEM, NULL for no bound. `owner_id` is NULL for the SYSTEM owner, else a user or an
    organisation. `refused_at`: its provider has refused it, NULL where it did not or somebody
    switched it off; `probed_at`: when the provider was last asked whether it still does.
    """

    __tablename__ = "llm_credentials"
    __table_args__ = (
        CheckConstraint("(owner_kind = 'SYSTEM') = (owner_id IS NULL)", name="owner"),
        Index("ix_llm_credentials_owner", "owner_kind", "owner_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("llm_providers.id", ondelete="CASCADE"), index=True
    )
    owner_kind: Mapped[str]
    owner_id: Mapped[uuid.UUID | None]
    name: Mapped[str]
    ciphertext: Mapped[bytes]
    master_key_id: Mapped[str]
    destination: Mapped[str]
    mask: Mapped[str]
    fingerprint: Mapped[str]
    weight: Mapped[int] = mapped_column(server_default="1")
    state: Mapped[str] = mapped_column(server_default="ACTIVE")
    state_reason: Mapped[str | None]
    refused_at: Mapped[datetime | None]
    probed_at: Mapped[datetime | None]
    policy: Mapped[str] = mapped_column(server_default="ONLY_MINE")
    spend_per_month: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
