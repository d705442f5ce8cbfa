"""Tells of committed configuration changes: LISTEN as a hint, the number polled every second."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from db.queries.configuration import latest_change
from db.session import AsyncEngine, Database, database_is_away

CHANNEL = "fairlead_configuration"

_HINTS_APART = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

log = structlog.get_logger(__name__)


class Changes:
    """Calls `on_number` with the newest committed number: after each poll and each hint.

    One dedicated connection listens and hints; it is replaced when it dies, and the number is
    compared again then. Notifications carry nothing and may be lost: the poll finds the change.
    `interrupted` is set while the last poll failed.
    """

    def __init__(
        self,
        database: Database,
        on_number: Callable[[int], Awaitable[None]],
        *,
        poll_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._on_number = on_number
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._hinted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.listening = asyncio.Event()
        self.interrupted = asyncio.Event()

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._listen())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def hint(self) -> None:
        """Ask the other processes to look now; coalesced, at most ten a second."""
        self._hinted.set()

    async def _poll(self) -> None:
        while True:
            self._woken.clear()
            try:
                async with self._database.read(None) as session:
                    number = await latest_change(session)
                await self._on_number(number)
                if self.interrupted.is_set():
                    log.info("configuration feed is back", number=number)
                self.interrupted.clear()
            except Exception as error:
                if not self.interrupted.is_set():
                    log.warning(
                        "configuration feed is interrupted",
                        error=type(error).__name__,
                        database_away=database_is_away(error),
                    )
                self.interrupted.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()

    async def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                connection = await _connect(self._database.engine)
                try:
                    await self._serve(connection)
                    pause = _FIRST_PAUSE
                finally:
                    self.listening.clear()
                    connection.terminate()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                pause = min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _serve(self, connection: Any) -> None:
        """Listen and hint until the connection ends."""
        ended = asyncio.Event()

        def end(_: object) -> None:
            ended.set()
            self._hinted.set()

        connection.add_termination_listener(end)
        await connection.add_listener(CHANNEL, lambda *_: self._woken.set())
        self.listening.set()
        self._woken.set()
        while True:
            await self._hinted.wait()
            if ended.is_set():
                return
            self._hinted.clear()
            await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
            await asyncio.sleep(_HINTS_APART)


async def _connect(engine: AsyncEngine) -> Any:
    """A connection outside the pool, to where the engine's go."""
    _, options = engine.dialect.create_connect_args(engine.url)
    return await asyncpg.connect(
        **options,
        timeout=5,
        command_timeout=5,
        server_settings={
            "application_name": "fairlead changes",
            "synchronous_commit": "off",
        },
    )
