"""Watches, while somebody asks, how the processes apply the configuration."""

import asyncio
from collections.abc import AsyncGenerator

import structlog

from db.session import Database, database_is_away
from domain.progress import Standing, standing_of

_POLL_SECONDS = 0.25
_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Progress:
    """One reader of the register for all that follow; it reads nothing while nobody does."""

    def __init__(self, database: Database, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._standing: Standing | None = None
        self._moved = asyncio.Event()
        self._followers = 0
        self._task: asyncio.Task[None] | None = None

    async def follow(self) -> AsyncGenerator[Standing, None]:
        """How it stands, and again whenever that changes; the newest, where a reader is slow."""
        seen = None
        self._followers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        try:
            while True:
                moved, standing = self._moved, self._standing
                if standing is None or standing == seen:
                    await moved.wait()
                else:
                    seen = standing
                    yield standing
        finally:
            self._followers -= 1
            if self._followers == 0:
                self.stop()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task, self._standing = None, None

    async def _watch(self) -> None:
        away = False
        while True:
            try:
                async with self._database.read(None) as session:
                    found = await standing_of(session)
            except Exception as error:
                if not away and not database_is_away(error):
                    log.exception("the register of processes cannot be read")
                away = True
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            away = False
            if found != self._standing:
                self._standing = found
                moved, self._moved = self._moved, asyncio.Event()
                moved.set()
            await asyncio.sleep(self._poll_seconds)
