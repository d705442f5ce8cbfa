"""Hands usage events of every replica to the subscribers of this process, in commit order."""

import asyncio
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

HISTORY_ROWS = 10_000
QUEUE_ROWS = 2_000
_SLICE, _SLICE_ROWS = 50, 2_500
"""Subscribers, and rows told to all of them, that take some two milliseconds."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The usage rows that one transaction made visible; `number` grows in commit order."""

    number: int
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """Events after `after` and up to `number` are not delivered: read them from the list."""

    after: int
    number: int


class Hub:
    """In-process subscriptions.

    It keeps the latest batches for subscribers that come back with the number they saw last.
    While nobody subscribes nothing is published; `wanted` tells the feed when to begin.
    """

    def __init__(self, *, history_rows: int = HISTORY_ROWS, queue_rows: int = QUEUE_ROWS) -> None:
        self.wanted = asyncio.Event()
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._history: deque[Batch] = deque()
        self._history_rows = history_rows
        self._held = 0
        self._queue_rows = queue_rows
        self._number: int | None = None
        self._before = 0

    @property
    def number(self) -> int | None:
        """The newest batch published; None while nobody subscribes."""
        return self._number

    @property
    def watched(self) -> bool:
        return len(self._subscriptions) > 0

    def subscribe(self, after: int | None = None) -> "Subscription":
        """Batches committed after number `after`, or from now on; `close` it, or let it go."""
        subscription = Subscription(self, after, self._queue_rows)
        self._subscriptions.add(subscription)
        if self._number is not None:
            self._catch_up(subscription)
        self.wanted.set()
        return subscription

    def begin(self, before: int, number: int, history: Sequence[Batch]) -> None:
        """Start at batch `number`; `history` holds every batch after `before`, up to it."""
        self._before, self._number = before, number
        for batch in history:
            self._remember(batch)
        for subscription in list(self._subscriptions):
            self._catch_up(subscription)

    async def publish(self, batch: Batch) -> None:
        """Batches come in the order of their numbers. Between some subscribers and the next, what
        else waits in this process has its turn."""
        self._number = batch.number
        self._remember(batch)
        some = max(1, min(_SLICE, _SLICE_ROWS // max(1, len(batch.rows))))
        for number, subscription in enumerate(list(self._subscriptions), 1):
            subscription.put(batch)
            if not number % some:
                await asyncio.sleep(0)

    def rest(self) -> None:
        """Nobody listens: forget, until somebody subscribes."""
        self._number, self._before = None, 0
        self._history.clear()
        self._held = 0
        self.wanted.clear()

    def leave(self, subscription: "Subscription") -> None:
        self._subscriptions.discard(subscription)

    def _remember(self, batch: Batch) -> None:
        self._history.append(batch)
        self._held += len(batch.rows)
        while self._held > self._history_rows:
            oldest = self._history.popleft()
            self._held -= len(oldest.rows)
            self._before = oldest.number

    def _catch_up(self, subscription: "Subscription") -> None:
        """Give it what it has not seen, or say that it is too late for some of it."""
        number = self._number or 0
        if subscription.seen is None or subscription.seen > number:
            subscription.start(number)
            return
        if subscription.seen < self._before:
            subscription.skip(self._before)
        for batch in self._history:
            subscription.put(batch)


class Subscription:
    """An iterator over `Batch` and `Gap`, for one consumer."""

    def __init__(self, hub: Hub, after: int | None, queue_rows: int) -> None:
        self.seen = after
        self._delivered = after or 0
        self._hub = hub
        self._queue: deque[Batch] = deque()
        self._queue_rows = queue_rows
        self._held = 0
        self._gap: Gap | None = None
        self._ready = asyncio.Event()
        self._closed = False

    def start(self, number: int) -> None:
        """Take only what comes after batch `number`."""
        self.seen = self._delivered = number

    def put(self, batch: Batch) -> None:
        """Queue a batch; when the consumer is too far behind, a gap takes the queue's place."""
        if self.seen is not None and batch.number <= self.seen:
            return
        if self._queue and self._held + len(batch.rows) > self._queue_rows:
            self.skip(batch.number)
            return
        self._queue.append(batch)
        self._held += len(batch.rows)
        self.seen = batch.number
        self._ready.set()

    def skip(self, number: int) -> None:
        """Leave out everything not yet delivered, up to batch `number`."""
        self._gap = Gap(self._delivered, number)
        self._queue.clear()
        self._held = 0
        self.seen = number
        self._ready.set()

    def drain(self) -> None:
        """Forget what is queued: the consumer wants only the newest."""
        self._queue.clear()
        self._held, self._gap = 0, None
        self._delivered = self.seen or 0

    def close(self) -> None:
        self._closed = True
        self._hub.leave(self)
        self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch | Gap:
        while not self._closed:
            if self._gap is not None:
                gap, self._gap = self._gap, None
                self._delivered = gap.number
                return gap
            if self._queue:
                batch = self._queue.popleft()
                self._held -= len(batch.rows)
                self._delivered = batch.number
                return batch
            self._ready.clear()
            await self._ready.wait()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
