"""A PostgreSQL server of a test's own, that can be taken away in every way there is."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from db.embedded import EmbeddedPostgres
from db.processes import orphans_of, server_of
from tests.outage import end_connections, outage, server

Away = Callable[[], AbstractAsyncContextManager[None]]


class OwnServer:
    """`url` is what DATABASE_URL is set to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder, settings={"fsync": "off"})
        self.url = ""

    async def start(self) -> None:
        self.url = await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        await self.stop()
        try:
            yield
        finally:
            await self.start()

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Takes connections, and says nothing."""
        data = self._folder / "postgres"
        pids = [pid for pid in (server_of(data), *orphans_of(data)) if pid is not None]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in (*pids, *orphans_of(data)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        async with outage(self._administrative, self.url):
            yield

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        name = make_url(self.url).database
        assert name is not None
        setting = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
        async with server(self._administrative) as connection:
            await connection.execute(text(f"{setting} = on"))
            await end_connections(connection, name, "%")
            try:
                yield
            finally:
                await connection.execute(text(f"{setting} = off"))
                await end_connections(connection, name, "%")

    def way(self, name: str) -> Away:
        ways: dict[str, Away] = {
            "stopped": self.stopped,
            "frozen": self.frozen,
            "refusing": self.refusing,
            "read-only": self.read_only,
        }
        return ways[name]

    @property
    def _administrative(self) -> str:
        return make_url(self.url).set(database="postgres").render_as_string(hide_password=False)
