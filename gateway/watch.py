"""Watches one stream for silence with a timer that is seldom set, not one for each chunk."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. A comment is sent after `heartbeat` of silence; `stall` of it ends a stream. How
    far it has come is noted every `progress`. For `unseen` a model that thinks is listened to when
    its client has left: what it thought is told at the end alone.
    """

    heartbeat: float = 15.0
    stall: float = 120.0
    progress: float = 2.0
    unseen: float = 15.0


class Watch:
    """Set `waiting` before waiting for the upstream, and None after; `deadline` ends the stream.

    `beat` sends a comment, `end` stops waiting for the upstream; `reason` then says why.
    `note` is called now and then for as long as it lasts; `stuck` is told when the deadline passes
    while the client does not read.
    """

    __slots__ = (
        "_beat",
        "_beaten",
        "_deadline",
        "_end",
        "_loop",
        "_note",
        "_noted",
        "_patience",
        "_stuck",
        "_timer",
        "reason",
        "waiting",
    )

    def __init__(
        self,
        patience: Patience,
        deadline: float,
        *,
        beat: Callable[[], None],
        end: Callable[[], None],
        note: Callable[[], None],
        stuck: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._deadline = deadline
        self._beat, self._end, self._note, self._stuck = beat, end, note, stuck
        self.reason: str | None = None
        self.waiting: float | None = None
        self._beaten = self._noted = self._loop.time()
        self._timer = self._loop.call_at(self._next(self._beaten), self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self.waiting is None:
            if now >= self._deadline:
                return self._stuck()
        elif now >= self._deadline:
            return self._give_up("took too long")
        elif now - self.waiting >= self._patience.stall:
            return self._give_up("fell silent")
        elif now - max(self.waiting, self._beaten) >= self._patience.heartbeat:
            self._beaten = now
            self._beat()
        if now - self._noted >= self._patience.progress:
            self._noted = now
            self._note()
        self._timer = self._loop.call_at(self._next(now), self._look)

    def _next(self, now: float) -> float:
        since = now if self.waiting is None else max(self.waiting, self._beaten)
        noting = self._noted + self._patience.progress
        due = min(self._deadline, since + self._patience.heartbeat, noting)
        if self.waiting is not None:
            due = min(due, self.waiting + self._patience.stall)
        return due

    def _give_up(self, reason: str) -> None:
        self.reason = reason
        self._end()
