"""Every table; importing this package registers them all on `Base.metadata`."""

from db.models import (
    answer,
    apikey,
    audit,
    configuration,
    credential,
    health,
    hold,
    idempotency,
    installation,
    model,
    provider,
    rollup,
    rule,
    usage,
    user,
    wallet,
    webhook,
)
from db.models.base import Base

__all__ = [
    "Base",
    "answer",
    "apikey",
    "audit",
    "configuration",
    "credential",
    "health",
    "hold",
    "idempotency",
    "installation",
    "model",
    "provider",
    "rollup",
    "rule",
    "usage",
    "user",
    "wallet",
    "webhook",
]
