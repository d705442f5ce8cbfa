"""What one GraphQL request carries."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import strawberry
from strawberry.dataloader import DataLoader
from uuid_utils.compat import uuid7

from db.session import AsyncSession, Database
from domain.balances import Balances
from domain.board import Board
from domain.hub import Hub
from domain.ports import Cipher, Completer, ConfigurationFeed, ProbeLater, ProviderProbe
from domain.principal import Principal
from domain.tokens import TokenCounter

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Batch = Callable[["Context", list[Key]], Awaitable[Sequence[Value | Exception]]]
"""The values of many keys in their order, in as many statements as for one."""


class Context:
    """The caller, the database, and the ports to everything outside.

    `allow_private_hosts` holds `host:port` entries that a provider may use without https.
    Without a `counter` tokens are estimated. `request_id` names the request in the audit log.
    """

    def __init__(
        self,
        database: Database,
        principal: Principal | None,
        configuration: ConfigurationFeed,
        cipher: Cipher,
        probe: ProviderProbe,
        hub: Hub,
        allow_private_hosts: frozenset[str] = frozenset(),
        counter: TokenCounter | None = None,
        *,
        probe_later: ProbeLater,
        completer: Completer,
        health: Board | None = None,
        balances: Balances | None = None,
    ) -> None:
        self.database = database
        self.principal = principal
        self.configuration = configuration
        self.cipher = cipher
        self.probe = probe
        self.hub = hub
        self.allow_private_hosts = allow_private_hosts
        self.counter = counter or TokenCounter()
        self.probe_later = probe_later
        self.health = health or Board()
        self.completer = completer
        self.balances = balances or Balances(database)
        self.request_id = uuid7()
        self._loaders: dict[Any, DataLoader[Any, Any]] = {}

    def load(self, batch: Batch[Key, Value], key: Key) -> Awaitable[Value]:
        """One value of `batch`, fetched together with every other key asked for meanwhile."""
        loader = self._loaders.get(batch)
        if loader is None:
            loader = self._loaders[batch] = DataLoader(load_fn=partial(batch, self))
        return loader.load(key)

    def forget(self) -> None:
        """Load anew from here on: a subscription's next event must not see an earlier one's."""
        self._loaders.clear()

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A short read session of the caller's, never held while waiting for anything else."""
        return self.database.read(self.principal)

    @asynccontextmanager
    async def change(self) -> AsyncIterator[AsyncSession]:
        """The one transaction of a mutation; after its commit this process applies the change."""
        async with self.database.write(self.principal, self.request_id) as session:
            yield session
        await self.configuration.refresh()

    @property
    def caller(self) -> Principal:
        """The principal, on fields whose policy is not PUBLIC."""
        if self.principal is None:
            raise RuntimeError("A field without a caller asked for one.")
        return self.principal


Info = strawberry.Info[Context, None]
