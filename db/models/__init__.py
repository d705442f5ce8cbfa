"""Every table; importing this package registers them all on `Base.metadata`."""

from db.models import apikey, configuration, credential, model, provider, rule, usage, user
from db.models.base import Base

__all__ = [
    "Base",
    "apikey",
    "configuration",
    "credential",
    "model",
    "provider",
    "rule",
    "usage",
    "user",
]
