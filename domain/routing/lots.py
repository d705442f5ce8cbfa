"""Chance that can be repeated: every draw follows from a seed, such as the request's id."""

import math
import uuid
from collections.abc import Iterable
from hashlib import blake2b

from domain.snapshot import Credential

_SCALE = 2.0**-64


def draw(seed: bytes, key: uuid.UUID) -> float:
    """Uniform in (0, 1), the same for the same seed and key."""
    digest = blake2b(seed + key.bytes, digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) * _SCALE


def weighted(seed: bytes, credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """In rendezvous order: first places follow the weights, and a key that leaves moves only
    its own requests."""
    return tuple(
        sorted(
            credentials,
            key=lambda credential: (
                -max(credential.weight, 0) / math.log(draw(seed, credential.id)),
                credential.id.int,
            ),
            reverse=True,
        )
    )


def digest(session: str) -> str:
    """A session as a decision records it: enough to repeat its draws, not to read it."""
    return blake2b(session.encode(), digest_size=8).hexdigest()
