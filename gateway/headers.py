"""The headers by which an answer says who served it."""

import uuid
from collections.abc import Sequence

import msgspec

from gateway.account import Served
from gateway.asgi import Header

MOST_NAMES = 32


def answered(
    id: uuid.UUID, served: Served, attempts: int, ignored: Sequence[str] = ()
) -> list[Header]:
    """Of an answer; what it cost is known only when it has come whole.

    `ignored` are fields that the provider was not told.
    """
    deployment, owner = served.candidate.deployment, served.key_owner
    headers = [
        *refused(id, attempts),
        (b"x-fairlead-provider", deployment.provider.slug.encode()),
        (b"x-fairlead-model", deployment.name.encode("ascii", "backslashreplace")),
    ]
    if owner is not None:
        headers.append((b"x-fairlead-key-owner", owner.encode()))
    if ignored:
        headers.append((b"x-fairlead-ignored", ", ".join(ignored[:MOST_NAMES]).encode()))
    return headers


def refused(id: uuid.UUID, attempts: int) -> list[Header]:
    """Of an error after upstream calls were made."""
    return [
        # `str` takes four times as long.
        (b"x-fairlead-request-id", msgspec.to_builtins(id).encode()),
        (b"x-fairlead-attempts", b"%d" % attempts),
    ]
