"""What an answer on /v1 goes out by, and by which a client that leaves is noticed."""

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.asgi import Header

WIRE = "fairlead.wire"
"""The extension of an ASGI scope that holds a request's `Wire`.

ASGI itself tells of a client that left only to a task that waits for it, and takes an answer in
messages of which each is looked through.
"""


class Wire(Protocol):
    """One answer: `whole`, or `begin` and what follows. To a client that `left`, nothing is sent.

    `told` is called once when the client leaves before it had all of its answer.
    """

    left: bool
    told: Callable[[], None] | None

    def whole(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """JSON."""

    async def begin(self, headers: Sequence[Header], events: bytes) -> None:
        """A stream of events, and its first ones. This and what follows waits for slow readers."""

    async def send(self, events: bytes) -> None: ...

    async def end(self, events: bytes) -> None:
        """The last ones: the stream is whole. One that is never ended breaks off."""


class ServedWire(Wire, Protocol):
    """Of a request that a server received."""

    def body(self, limit: int) -> bytes | None:
        """Once: the request's, where it has come whole and has no more bytes; else None."""
