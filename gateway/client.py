"""The one who is answered: how far the answer has come, and what was sent of it."""

from collections.abc import Sequence

from gateway.asgi import Header
from gateway.wire import Wire

LONGEST_KEPT = 1024 * 1024
"""Bytes of an answer that is kept for who asks again."""


class Client:
    """`remembers`: the events sent are remembered as long as they are few enough to be kept.

    `gone`: it has left.
    """

    def __init__(self, wire: Wire, *, remembers: bool = False) -> None:
        self._wire = wire
        self._remembers = remembers
        self._sent: list[bytes] = []
        self._size = 0
        self.started = False
        self.completed = False
        self.gone = False

    def whole(self, status: int, body: bytes, headers: Sequence[Header]) -> None:
        self.started = self.completed = True
        self._wire.whole(status, headers, body)

    async def begin(self, headers: Sequence[Header], events: bytes) -> None:
        """A stream, and its first events."""
        self.started = True
        if self._remembers:
            self._remember(events)
        await self._wire.begin(headers, events)

    async def events(self, events: bytes) -> None:
        if self._remembers:
            self._remember(events)
        await self._wire.send(events)

    async def comment(self, comment: bytes) -> None:
        """What is no part of the answer."""
        await self._wire.send(comment)

    async def end(self, events: bytes) -> None:
        """The last events of a whole answer."""
        self.completed = True
        await self._wire.end(events)

    def remembered(self, end: bytes) -> bytes | None:
        """Everything sent, and `end`; None when that is too much to be kept."""
        if self._size + len(end) > LONGEST_KEPT:
            return None
        return b"".join((*self._sent, end))

    def _remember(self, events: bytes) -> None:
        self._size += len(events)
        if self._size <= LONGEST_KEPT:
            self._sent.append(events)
        else:
            self._sent.clear()
