"""Coming to an end in order: unready, then closed to new requests, then the last ones ended."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from domain.errors import Unavailable

Stop = Callable[[], None]


class Drain:
    """Knows the requests that are at work. One per process."""

    def __init__(self) -> None:
        self.begun = False
        """This process is about to end: no balancer should send it more."""
        self.closed = False
        self._working: dict[asyncio.Task[None], Stop] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    def admit(self) -> None:
        """Raises `Unavailable` once no new request may begin."""
        if self.closed:
            raise Unavailable("The server is restarting; try again.")

    def enter(self, task: asyncio.Task[None], stop: Stop) -> None:
        """`task` is a request at work until it is done; `stop` ends it and tells its client."""
        self._working[task] = stop
        self._empty.clear()
        task.add_done_callback(self._left)

    @property
    def working(self) -> int:
        return len(self._working)

    async def empty(self) -> None:
        """Returns when nothing is at work."""
        await self._empty.wait()

    async def end(self, within: float) -> None:
        """End what is at work, each with an error, and wait so many seconds for it."""
        for stop in list(self._working.values()):
            stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._empty.wait()

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._working[task]
        if not self._working:
            self._empty.set()
