"""Models that providers serve, and their dated prices."""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Entity


class Model(Entity):
    """A model as one provider serves it (a deployment).

    `canonical_name` joins deployments of the same model across providers. `quality` lies in
    0..1 and NULL means unknown. `level_pin` overrides the power level its price gives it.
    """

    __tablename__ = "llm_models"
    __table_args__ = (UniqueConstraint("provider_id", "name"),)

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("llm_providers.id", ondelete="CASCADE")
    )
    name: Mapped[str]
    canonical_name: Mapped[str] = mapped_column(index=True)
    display_name: Mapped[str]
    context_length: Mapped[int | None]
    max_output_tokens: Mapped[int | None]
    input_modalities: Mapped[list[str]] = mapped_column(server_default="{TEXT}")
    output_modalities: Mapped[list[str]] = mapped_column(server_default="{TEXT}")
    capabilities: Mapped[list[str]] = mapped_column(server_default="{STREAMING}")
    level_pin: Mapped[str | None]
    quality: Mapped[float | None]
    quality_source: Mapped[str | None]
    quality_date: Mapped[date | None]
    enabled: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Price(Entity):
    """What a model costs from `valid_from` on, in pico-USD per token; NULL means not charged apart.

    A missing row means the price is unknown, which is never the same as zero.
    """

    __tablename__ = "llm_prices"
    __table_args__ = (UniqueConstraint("model_id", "valid_from"),)

    model_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("llm_models.id", ondelete="CASCADE"))
    valid_from: Mapped[datetime]
    input: Mapped[int] = mapped_column(BigInteger)
    cached_input: Mapped[int | None] = mapped_column(BigInteger)
    cache_write: Mapped[int | None] = mapped_column(BigInteger)
    cache_write_1h: Mapped[int | None] = mapped_column(BigInteger)
    output: Mapped[int] = mapped_column(BigInteger)
    reasoning: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str]
