"""Ends waits that take too long: one timer for all of them, as each request has several."""

import asyncio
from functools import cached_property
from types import TracebackType

_PRECISION = 0.05
"""Seconds a wait may last beyond its end."""


class Deadlines:
    """One per event loop. `until` and `within` are used as `with deadlines.within(seconds):`."""

    def __init__(self) -> None:
        self._running: dict[Deadline, None] = {}
        self._watching = False

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Known, as to ask which one runs is a call of the system each time."""
        return asyncio.get_running_loop()

    def until(self, at: float) -> "Deadline":
        """`at` is of the loop's clock."""
        return Deadline(self, at)

    def within(self, seconds: float) -> "Deadline":
        return Deadline(self, self.loop.time() + seconds)

    def entered(self, deadline: "Deadline") -> None:
        self._running[deadline] = None
        if not self._watching:
            self._watching = True
            self.loop.call_later(_PRECISION, self._watch)

    def left(self, deadline: "Deadline") -> None:
        del self._running[deadline]

    def _watch(self) -> None:
        now = self.loop.time()
        for deadline in self._running:
            deadline.look(now)
        self._watching = bool(self._running)
        if self._watching:
            self.loop.call_later(_PRECISION, self._watch)


class Deadline:
    """Raises TimeoutError where the time is over, as `asyncio.timeout` does; `at` may be moved."""

    __slots__ = ("_before", "_deadlines", "_late", "_task", "at")

    def __init__(self, deadlines: Deadlines, at: float) -> None:
        self._deadlines = deadlines
        self.at = at
        self._late = False

    def __enter__(self) -> None:
        task = asyncio.current_task(self._deadlines.loop)
        assert task is not None
        self._task, self._before = task, task.cancelling()
        self._deadlines.entered(self)

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
