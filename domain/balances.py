"""Tells of wallets as they change, on whatever replica: the newest only, at most twice a second."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Self

import structlog

from db.keyset import Row
from db.queries.usage import Reach
from db.queries.wallet import wallets_by_owner
from db.session import Database, database_is_away

SECONDS = 0.5
_PAUSE = 2.0
_EVERYBODY = Reach(everybody=True, user=uuid.UUID(int=0), organization=None)

log = structlog.get_logger(__name__)


class Balances:
    """Wallets that somebody follows are read together; while nobody follows nothing is read."""

    def __init__(self, database: Database, *, seconds: float = SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._following: dict[uuid.UUID, set[Following]] = {}
        self._reading: asyncio.Task[None] | None = None

    @property
    def watched(self) -> bool:
        return bool(self._following)

    def follow(self, owner_id: uuid.UUID) -> "Following":
        """The owner's wallet as it is, then whenever it is another; `close` it."""
        following = Following(self, owner_id)
        self._following.setdefault(owner_id, set()).add(following)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_on())
        return following

    def leave(self, following: "Following") -> None:
        found = self._following.get(following.owner_id, set())
        found.discard(following)
        if not found:
            self._following.pop(following.owner_id, None)

    async def _read_on(self) -> None:
        while self._following:
            pause = self._seconds
            try:
                # Who begins to follow meanwhile is told the next time.
                asked = list(self._following)
                self._tell(asked, await self._read(asked))
            except Exception as error:
                if not database_is_away(error):
                    log.error("balances cannot be read", exc_info=error)
                pause = _PAUSE
            await asyncio.sleep(pause)

    async def _read(self, asked: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, Row]:
        async with self._database.read(None) as session:
            return await wallets_by_owner(session, asked, _EVERYBODY)

    def _tell(self, asked: Sequence[uuid.UUID], wallets: Mapping[uuid.UUID, Row]) -> None:
        for owner_id in asked:
            for each in list(self._following.get(owner_id, ())):
                each.put(wallets.get(owner_id))


class Following:
    """An iterator over one wallet's states, for one consumer. It ends with its owner."""

    def __init__(self, balances: Balances, owner_id: uuid.UUID) -> None:
        self.owner_id = owner_id
        self._balances = balances
        self._told: tuple[Any, ...] | None = None
        self._newest: Row | None = None
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, wallet: Row | None) -> None:
        """As it is now; None: its owner is gone."""
        if wallet is None:
            return self.close()
        if tuple(wallet) != self._told:
            self._newest = wallet
            self._ready.set()

    def close(self) -> None:
        self._closed = True
        self._balances.leave(self)
        self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Row:
        while not self._closed:
            if self._newest is not None:
                wallet, self._newest = self._newest, None
                self._told = tuple(wallet)
                return wallet
            self._ready.clear()
            await self._ready.wait()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
