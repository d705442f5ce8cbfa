"""Ends waits that take too long: one timer for all of them, as each request has several."""

import asyncio
from functools import cached_property
from types import TracebackType

_PRECISION = 0.05
"""Seconds a wait may last beyond its end."""


class Deadlines:
    """One per event loop. `within` is used as `with deadlines.within(seconds):`."""

    def __init__(self) -> None:
        self.running: dict[Deadline, None] = {}
        self.watching = False

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Known, as to ask which one runs is a call of the system each time."""
        return asyncio.get_running_loop()

    def within(self, seconds: float) -> "Deadline":
        return Deadline(self, self.loop.time() + seconds)

    def watch(self) -> None:
        self.watching = True
        self.loop.call_later(_PRECISION, self._look)

    def _look(self) -> None:
        now = self.loop.time()
        for deadline in self.running:
            deadline.look(now)
        self.watching = False
        if self.running:
            self.watch()


class Deadline:
    """Raises TimeoutError where the time is over, as `asyncio.timeout` does.

    `at` is of the loop's clock, and may be moved.
    """

    __slots__ = ("_before", "_deadlines", "_late", "_task", "at")

    def __init__(self, deadlines: Deadlines, at: float) -> None:
        self._deadlines = deadlines
        self.at = at
        self._late = False

    def __enter__(self) -> None:
        task = asyncio.current_task(self._deadlines.loop)
        assert task is not None
        self._task, self._before = task, task.cancelling()
        self._deadlines.running[self] = None
        if not self._deadlines.watching:
            self._deadlines.watch()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del self._deadlines.running[self]
        if not self._late:
            return
        ours = self._task.uncancel() <= self._before
        if ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def look(self, now: float) -> None:
        """Called while it runs."""
        if now >= self.at and not self._late:
            self._late = True
            self._task.cancel()
