"""Tails the settlement batches of all replicas into the hub, while somebody subscribes."""

import asyncio
from contextlib import suppress

import structlog

from db.queries.feed import batches_after, latest_span
from db.session import Database, database_is_away
from domain.hub import Batch, Hub

_POLL_SECONDS = 0.02
"""While somebody watches: how much later requests of other processes are told of."""
_MAX_ROWS = 5_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0

log = structlog.get_logger(__name__)


class Feed:
    """Reads batches in the order of their numbers, so that none is missed and none comes twice.

    `wake` is for the local batch writer; the others' batches are found by polling.
    """

    def __init__(
        self, database: Database, hub: Hub, *, poll_seconds: float = _POLL_SECONDS
    ) -> None:
        self._database = database
        self._hub = hub
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self, number: int) -> None:
        """Batch `number` was committed here."""
        self._woken.set()

    async def _run(self) -> None:
        pause, away = _FIRST_PAUSE, False
        while True:
            await self._hub.wanted.wait()
            self._woken.clear()
            try:
                full = await self._tail()
            except Exception as error:
                if not away:
                    known = database_is_away(error)
                    log.warning("usage feed is interrupted", exc_info=None if known else error)
                away = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause, away = _FIRST_PAUSE, False
            if not full:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._woken.wait()
            if not self._hub.watched:
                self._hub.rest()

    async def _tail(self) -> bool:
        """Publish what was committed since; whether there may be more right away."""
        number = self._hub.number
        async with self._database.glance() as session:
            if number is None:
                before, newest = await latest_span(session, max_rows=_MAX_ROWS)
                history = await batches_after(session, before, max_rows=_MAX_ROWS)
                batches = [Batch(*batch) for batch in history]
                self._hub.begin(before, newest, [b for b in batches if b.number <= newest])
                batches = [b for b in batches if b.number > newest]
            else:
                found = await batches_after(session, number, max_rows=_MAX_ROWS)
                batches = [Batch(*batch) for batch in found]
        for batch in batches:
            await self._hub.publish(batch)
        return len(batches) > 0
