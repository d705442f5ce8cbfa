"""Brings the database up to date: before we serve, or as soon as it answers."""

import asyncio
import time

import structlog

from auth.keyring import WrongMasterKeyError
from db.session import database_is_away, database_is_late
from domain.bootstrap import bootstrap
from domain.catalogue import environment_keys, is_empty, seed
from domain.secret import Secret
from fairlead.commands.keys import create_administrator_key
from fairlead.foundation import Foundation
from fairlead.secretfiles import given

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_PATIENCE = 60.0
"""Seconds for a database that is there to take us, where there is nothing else to serve from."""

log = structlog.get_logger(__name__)


class Preparation:
    """Migrations, the first administrator, an empty catalogue filled.

    Where there is a configuration on disk to serve from, a database that is away may come later:
    until then nothing of ours reads or writes it.
    """

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._later: asyncio.Task[None] | None = None

    async def start(self) -> Secret | None:
        """The administrator's key when this start made one. Raises what keeps us from starting."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return await self._prepare()
            except Exception as error:
                if not database_is_away(error):
                    raise
                if self._foundation.has_copy():
                    log.warning("the database is away", error=type(error).__name__)
                    break
                if not database_is_late(error) or time.monotonic() > until:
                    raise
                log.warning("the database is not ready yet; asking again")
                await asyncio.sleep(_FIRST_PAUSE)
        self._foundation.database.prepared = False
        self._later = asyncio.create_task(self._until_prepared())
        return None

    @property
    def waits(self) -> bool:
        """Whether the database is still to come."""
        return self._later is not None and not self._later.done()

    async def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)

    async def _until_prepared(self) -> None:
        pause, told = _FIRST_PAUSE, False
        while not self._foundation.database.prepared:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                await self._prepare()
            except WrongMasterKeyError as error:
                log.error("the database is not ours", error=str(error))
            except Exception as error:
                if not database_is_away(error) and not told:
                    told = True
                    log.error("the database cannot be brought up to date", exc_info=error)
        log.info("the database is back")

    async def _prepare(self) -> Secret | None:
        """The database is used from the moment it is right."""
        foundation = self._foundation
        database = await foundation.prepare()
        async with database.write(None) as session:
            first = await bootstrap(session)
            if await is_empty(session):
                keys = environment_keys(given)
                await seed(session, foundation.cipher, keys, reset=False)
        foundation.database.prepared = True
        return await create_administrator_key(foundation, "first start") if first else None
