"""What a request owes those who wait for its answer, or will ask for it again."""

from collections.abc import Sequence
from typing import Protocol

from gateway.asgi import Header


class Keeping(Protocol):
    """A request that has one is brought to its end though its client leaves."""

    async def keep(self, headers: Sequence[Header], body: bytes | None, *, stream: bool) -> None:
        """A whole answer, before its outcome is on record. None: too long. Never fails."""

    async def release(self) -> None:
        """There is no answer, unless it is kept. Never fails."""
