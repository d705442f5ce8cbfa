"""Tests providers in the background, after their keys were given."""

import asyncio
import uuid

import structlog

from db.session import Database, database_is_away
from domain.configuration import provider_of
from domain.errors import FairleadError
from domain.ports import Cipher, Configuration, ProviderProbe
from domain.probing import settle_test, subject

_AT_ONCE = 4
_Subject = tuple[uuid.UUID, uuid.UUID | None, bool]

log = structlog.get_logger(__name__)


class Prober:
    """Runs each test in a task of its own, outside the transaction that asked for it."""

    def __init__(
        self,
        database: Database,
        configuration: Configuration,
        cipher: Cipher,
        probe: ProviderProbe,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._cipher = cipher
        self._probe = probe
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[_Subject, asyncio.Task[None]] = {}

    def later(
        self, provider_id: uuid.UUID, credential_id: uuid.UUID | None = None
    ) -> asyncio.Task[None]:
        """Test soon, with that key or the one that serves most; the task never fails.

        The same test, asked for again while it is under way, is made once.
        """
        return self._soon((provider_id, credential_id, False))

    def confirm(
        self, provider_id: uuid.UUID, credential_id: uuid.UUID | None = None
    ) -> asyncio.Task[None]:
        """Test a key that was refused to a request: whether it still is to another."""
        return self._soon((provider_id, credential_id, True))

    def _soon(self, subject_: _Subject) -> asyncio.Task[None]:
        found = self._tasks.get(subject_)
        if found is None:
            found = self._tasks[subject_] = asyncio.create_task(self._test(*subject_))
            found.add_done_callback(lambda _: self._tasks.pop(subject_))
        return found

    async def stop(self) -> None:
        """Give up what is still under way: a test can be repeated at any time."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _test(self, *subject_: *_Subject) -> None:
        try:
            async with self._room:
                await self._try(*subject_)
        except FairleadError:
            # Gone, or without a key: then there is nothing to test.
            return
        except Exception as error:
            known = database_is_away(error)
            log.warning("a provider was not tested", exc_info=None if known else error)

    async def _try(
        self, provider_id: uuid.UUID, credential_id: uuid.UUID | None, thorough: bool
    ) -> None:
        async with self._database.read(None) as session:
            tested = await subject(session, self._cipher, provider_id, credential_id)
        found = await self._probe.test(
            provider_of(tested.provider),
            tested.key,
            tested.model,
            thorough=thorough or tested.was_refused,
        )
        async with self._database.write(None) as session:
            await settle_test(session, tested, found)
        await self._configuration.refresh()
