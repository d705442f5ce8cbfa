"""Keeps usage in order behind the writer: costs so far are folded up, old requests dropped."""

import asyncio
import random
import time
from contextlib import suppress

import structlog

from db.queries.week_costs import fold
from db.session import Database, database_is_away
from domain.retention import drop_expired

_PAUSE = 3.0
_HOUR = 3_600.0
"""Seconds; processes take turns by a lock on the row that says how far the fold has come. What is
not folded yet widens the search for those who cost most."""

log = structlog.get_logger(__name__)


class Keeper:
    """Runs as long as its process; every step may run in any process, and twice."""

    def __init__(self, database: Database, *, pause: float = _PAUSE) -> None:
        self._database = database
        self._pause = pause
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        dropped = -_HOUR
        while True:
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
            try:
                while await fold(self._database):
                    pass
                if time.monotonic() - dropped >= _HOUR:
                    names = await drop_expired(self._database)
                    dropped = time.monotonic()
                    if names:
                        log.info("usage that is not kept was dropped", partitions=names)
            except Exception as error:
                if not database_is_away(error):
                    log.error("usage cannot be kept in order", exc_info=error)
