"""Keeps usage in order behind the writer's back: what groups have cost so far is folded up."""

import asyncio
import random
from contextlib import suppress

import structlog

from db.queries.lifetimes import fold
from db.session import Database, database_is_away

_PAUSE = 10.0
"""Seconds; processes take turns by a lock on the row that says how far the fold has come."""

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
        while True:
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
            try:
                while await fold(self._database):
                    pass
            except Exception as error:
                if not database_is_away(error):
                    log.error("usage cannot be folded", exc_info=error)
