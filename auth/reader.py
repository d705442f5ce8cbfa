"""Short reads for sign-in that do not wait for a database which was just found away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from db.session import AsyncSession, Database, database_is_away
from domain.errors import Unavailable

_PATIENCE = 3.0
"""Seconds one look at the database may take before it counts as away."""
_PAUSE = 1.0
"""Seconds without another look after one that found it away."""

_Found = TypeVar("_Found")


class Reader:
    """Sessions of the system's own: nobody is known yet."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._away_until = 0.0

    async def read(self, query: Callable[[AsyncSession], Awaitable[_Found]]) -> _Found:
        """Raises Unavailable, at once while the database was just found away."""
        return await self._ask(query, writes=False)

    async def write(self, change: Callable[[AsyncSession], Awaitable[_Found]]) -> _Found:
        """The same for one unit of work."""
        return await self._ask(change, writes=True)

    async def _ask(
        self, query: Callable[[AsyncSession], Awaitable[_Found]], *, writes: bool
    ) -> _Found:
        error: Exception | None = None
        if self._clock() >= self._away_until:
            opened = self._database.write if writes else self._database.read
            try:
                async with asyncio.timeout(_PATIENCE), opened(None) as session:
                    return await query(session)
            except Exception as caught:
                if not database_is_away(caught):
                    raise
                error = caught
                self._away_until = self._clock() + _PAUSE
        raise Unavailable(
            "The database is away, and this sign-in is not known yet: try again soon."
        ) from error
