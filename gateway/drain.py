"""Coming to an end in order: unready, then closed to new requests, then the last ones ended."""

import asyncio
from contextlib import suppress
from typing import Protocol

from domain.errors import Unavailable


class Working(Protocol):
    """A request at work."""

    def stop(self) -> None:
        """End it, and tell its client."""


class Drain:
    """Knows the requests that are at work. One per process."""

    def __init__(self) -> None:
        self.begun = False
        """This process is about to end: no balancer should send it more."""
        self.closed = False
        self._working: set[Working] = set()
        self._empty = asyncio.Event()

    def admit(self) -> None:
        """Raises `Unavailable` once no new request may begin."""
        if self.closed:
            raise Unavailable("The server is restarting; try again.")

    def enter(self, request: Working) -> None:
        """It is at work until it is said to have left."""
        self._working.add(request)

    def left(self, request: Working) -> None:
        self._working.discard(request)
        if not self._working:
            self._empty.set()

    @property
    def working(self) -> int:
        return len(self._working)

    async def empty(self) -> None:
        """Returns when nothing is at work."""
        while self._working:
            self._empty.clear()
            await self._empty.wait()

    async def end(self, within: float) -> None:
        """End what is at work, each with an error, and wait so many seconds for it."""
        for request in list(self._working):
            request.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.empty()
