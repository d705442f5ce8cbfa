"""Ends waits that take too long: one timer for all of them, as each request has several."""

import asyncio
from types import TracebackType

_PRECISION = 0.05
"""Seconds a wait may last beyond its end."""


class Deadlines:
    """One per event loop. `until` and `within` are used as `with deadlines.within(seconds):`."""

    def __init__(self) -> None:
        self._running: dict[Deadline, None] = {}
        self._watching = False

    def until(self, at: float) -> "Deadline":
        """`at` is of the loop's clock."""
        return Deadline(self, at)

    def within(self, seconds: float) -> "Deadline":
        return Deadline(self, asyncio.get_running_loop().time() + seconds)

    def entered(self, deadline: "Deadline", loop: asyncio.AbstractEventLoop) -> None:
        self._running[deadline] = None
        if not self._watching:
            self._watching = True
            loop.call_later(_PRECISION, self._watch, loop)

    def left(self, deadline: "Deadline") -> None:
        del self._running[deadline]

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for deadline in self._running:
            deadline.look(now)
        self._watching = bool(self._running)
        if self._watching:
            loop.call_later(_PRECISION, self._watch, loop)


class Deadline:
    """Raises TimeoutError where the time is over, as `asyncio.timeout` does; `at` may be moved."""

    __slots__ = ("_before", "_deadlines", "_late", "_task", "at")

    def __init__(self, deadlines: Deadlines, at: float) -> None:
        self._deadlines = deadlines
        self.at = at
        self._late = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self._task, self._before = task, task.cancelling()
        self._deadlines.entered(self, loop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._deadlines.left(self)
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
