"""Keeps who is known on disk, sealed, so that a start without the database knows them too."""

import asyncio
import uuid
from pathlib import Path

import structlog

from auth.identity import Authenticator
from auth.sealedfile import SealedFile
from domain.ports import Cipher, Place

_PLACE = Place("callers", "known", uuid.UUID(int=0), 1, "disk")
_SECONDS = 10.0

log = structlog.get_logger(__name__)


class KnownCallers:
    """Written every ten seconds while it changes, and at the stop."""

    def __init__(self, authenticator: Authenticator, path: Path, cipher: Cipher) -> None:
        self._authenticator = authenticator
        self._file = SealedFile(path, cipher, _PLACE)
        self._written = ""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """What is on disk counts for as long as it would have in the process that wrote it."""
        try:
            self._authenticator.recall(await asyncio.to_thread(self._file.read))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.warning("known callers are unusable", error=type(error).__name__)
        self._task = asyncio.create_task(self._write_now_and_then())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._write()

    async def _write_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await self._write()

    async def _write(self) -> None:
        known = self._authenticator.known()
        if known == self._written:
            return
        try:
            await asyncio.to_thread(self._file.write, known)
            self._written = known
        except OSError as error:
            log.warning("known callers are not written", error=type(error).__name__)
