"""What each process observed of deployments, and the state of each provider that follows."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class DeploymentHealth(Base):
    """One model as one process observed it; gone with the process.

    `vitals`: the fields of `domain.health.Vitals`. `limited_until`: until then every system key
    rests there. There is no foreign key to the model: what is gone is passed over when read.
    """

    __tablename__ = "deployment_health"

    process_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("processes.id", ondelete="CASCADE"), primary_key=True
    )
    model_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
    vitals: Mapped[dict[str, Any]]
    limited_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProviderHealth(Base):
    """The state that all processes agree on, so that one of them tells of a change.

    `probed_at`: when a process last took it upon itself to test the provider while it was idle.
    """

    __tablename__ = "provider_health"

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("llm_providers.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str]
    since: Mapped[datetime] = mapped_column(server_default=func.now())
    probed_at: Mapped[datetime | None]
