"""Looks every few seconds whether spending has come near a limit; any replica tells, once."""

import asyncio
from datetime import UTC, datetime

import structlog

from db.session import Database, database_is_away
from domain.threshold import tell_of_spending

_LOOK_SECONDS = 5.0

log = structlog.get_logger(__name__)


class SpendWatch:
    """Apart from settlement, which must not wait for anybody."""

    def __init__(self, database: Database, *, look_seconds: float = _LOOK_SECONDS) -> None:
        self._database = database
        self._look_seconds = look_seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        away = False
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                await tell_of_spending(self._database, datetime.now(UTC))
                away = False
            except Exception as error:
                if not away:
                    known = database_is_away(error)
                    log.warning("spending is not watched", exc_info=None if known else error)
                away = True
