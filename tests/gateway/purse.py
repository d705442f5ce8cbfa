"""A data plane whose money is in the tests' database: holds, spool and batch writer are real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from uuid_utils.compat import uuid7

from db.session import Database
from gateway.holds import Holds
from gateway.spool import Spool
from gateway.writer import Writer
from tests.gateway.plane import Plane, serving


@dataclass
class Paying:
    """`plane` serves; `settle` ends when the batch writer has written all that is recorded."""

    plane: Plane
    holds: Holds
    database: Database
    spool: Spool
    writer: Writer

    async def settle(self) -> None:
        """Everything recorded so far is in the database, and everything given back is back."""
        await self.writer.stop()
        await self.holds.settled()
        self.writer = Writer(self.database, self.spool)
        await self.writer.start()


@asynccontextmanager
async def paying(database: Database, root: Path, *allowed: str) -> AsyncIterator[Paying]:
    spool, holds = Spool(root), Holds(database, uuid7())
    writer = Writer(database, spool)
    await spool.start()
    await writer.start()
    await holds.start()
    async with serving(*allowed, recorder=spool, holds=holds) as plane:
        till = Paying(plane, holds, database, spool, writer)
        yield till
    await holds.stop()
    await till.writer.stop()
    await spool.close()
