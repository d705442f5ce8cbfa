"""Where a provider key may be sent: the part of a base URL that its ciphertext is bound to."""

import uuid
from urllib.parse import urlsplit

from domain.ports import Place
from domain.snapshot import ProviderType


def destination(type: ProviderType, base_url: str) -> str:
    """The origin; for a CUSTOM provider origin and path, for one host may serve several."""
    parts = urlsplit(base_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin + parts.path.rstrip("/") if type is ProviderType.CUSTOM else origin


def credential_place(id: uuid.UUID, version: int, destination: str) -> Place:
    """The only place the ciphertext of this credential opens."""
    return Place("llm_credentials", "ciphertext", id, version, destination)
