"""Hands the health of providers to the subscribers of this process: always the newest."""

import asyncio
import uuid
import weakref
from collections.abc import Iterable, Mapping
from typing import Self

from domain.observed import ProviderHealth


class Board:
    """The newest health of every provider, while somebody looks."""

    def __init__(self) -> None:
        self._newest: dict[uuid.UUID, ProviderHealth] = {}
        self._watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()

    @property
    def watched(self) -> bool:
        return len(self._watchers) > 0

    @property
    def newest(self) -> Mapping[uuid.UUID, ProviderHealth]:
        return self._newest

    def watch(self) -> "Watcher":
        """What is known now, then what changes; `close` it, or let it go."""
        watcher = Watcher(self)
        watcher.put(self._newest.values())
        self._watchers.add(watcher)
        return watcher

    def publish(self, changed: Iterable[ProviderHealth]) -> None:
        found = list(changed)
        self._newest.update((each.provider_id, each) for each in found)
        for watcher in list(self._watchers):
            watcher.put(found)

    def rest(self) -> None:
        """Nobody looks: forget, until somebody does."""
        self._newest.clear()

    def leave(self, watcher: "Watcher") -> None:
        self._watchers.discard(watcher)


class Watcher:
    """For one consumer: of what changed while it was busy it gets only the newest."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._pending: dict[uuid.UUID, ProviderHealth] = {}
        self._ready = asyncio.Event()
        self._closed = False

    def put(self, changed: Iterable[ProviderHealth]) -> None:
        self._pending.update((each.provider_id, each) for each in changed)
        if self._pending:
            self._ready.set()

    def close(self) -> None:
        self._closed = True
        self._board.leave(self)
        self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ProviderHealth:
        while not self._closed:
            if self._pending:
                return self._pending.pop(next(iter(self._pending)))
            self._ready.clear()
            await self._ready.wait()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
