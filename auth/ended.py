"""Sessions and tokens that people signed out of: refused in every process, though not over yet."""

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import islice

import structlog

from auth.reader import Reader
from db.queries.configuration import record_change, told_lately
from domain.errors import Unavailable

KIND = "session"
"""Of these ends in the feed of changes, by which the other processes learn of them."""
REMEMBERED = timedelta(days=1)
"""Longer than any session runs, and any token that is not made to last."""
_MOST = 500_000
"""The oldest go first: whoever opens and ends sessions all day fills no memory."""

log = structlog.get_logger(__name__)


def end_id(text: str) -> uuid.UUID:
    """By what an end is known: of the part that nobody can write differently, and tells nothing."""
    return uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])


class Ended:
    """What ended before its time. Read once; later ends are told (`tell`)."""

    def __init__(self, reader: Reader, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._clock = clock
        self._until: dict[uuid.UUID, float] = {}
        self._read = False

    async def holds(self, id: uuid.UUID) -> bool:
        """Whether it was ended; while the database is away, as far as this process was told."""
        if not self._read:
            try:
                known = await self._reader.read(lambda s: told_lately(s, KIND, REMEMBERED, _MOST))
            except Unavailable:
                return id in self._until
            self._read = True
            for each in known:
                self.tell(each)
        return id in self._until

    async def add(self, id: uuid.UUID) -> None:
        """End it here at once, and elsewhere when the database can be told."""
        if id in self._until:
            return
        self.tell(id)
        try:
            await self._reader.write(lambda session: record_change(session, KIND, id))
        except Unavailable:
            log.warning("a sign-out is known to this process alone: the database is away")

    def tell(self, id: uuid.UUID | None) -> None:
        """Something ended elsewhere; None: whatever may have, so that all is read again."""
        if id is None:
            self._read = False
            return
        now = self._clock()
        self._until[id] = now + REMEMBERED.total_seconds()
        for first, until in list(islice(self._until.items(), 2)):
            if until <= now or len(self._until) > _MOST:
                del self._until[first]
