"""Follows usage events as a client does, one at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from strawberry.types import ExecutionResult

from domain.hub import Batch, Hub, Subscription
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

EVENTS = """
subscription ($after: String, $filter: UsageFilter) {
  usageEvents(after: $after, filter: $filter) {
    ... on UsageEvent { cursor record { requestedModel user { name } } }
    ... on UsageGap { reason afterBatch untilBatch }
  }
}
"""


class NotingHub(Hub):
    """A hub that can be waited for; small, so that it forgets and overflows soon."""

    def __init__(self) -> None:
        super().__init__(history_rows=4, queue_rows=3)
        self.subscriptions = 0
        self._moved = asyncio.Event()

    def subscribe(self, after: int | None = None) -> Subscription:
        self.subscriptions += 1
        found = super().subscribe(after)
        self._moved.set()
        return found

    def begin(self, before: int, number: int, history: Sequence[Batch]) -> None:
        super().begin(before, number, history)
        self._moved.set()

    async def publish(self, batch: Batch) -> None:
        await super().publish(batch)
        self._moved.set()

    async def subscribed(self, count: int) -> None:
        await self._until(lambda: self.subscriptions == count)

    async def reached(self, number: int = 0) -> None:
        """Batch `number`; without one, until what settles from here on is new."""
        await self._until(lambda: self.number is not None and self.number >= number)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._moved.clear()
                await self._moved.wait()


class Listener:
    """One subscriber."""

    def __init__(self, graphql: GraphQL, hub: NotingHub) -> None:
        self._graphql = graphql
        self._hub = hub
        self._results: AsyncIterator[Any] | None = None

    async def start(self, caller: Principal | None, **variables: Any) -> None:
        """Subscribe, and be on the hub before anything else happens."""
        context, before = self._graphql.context(caller), self._hub.subscriptions
        context.hub = self._hub
        found = await self._graphql.schema.subscribe(
            EVENTS, variable_values=variables, context_value=context
        )
        self._results = aiter(found)
        self._next = asyncio.ensure_future(anext(self._results))
        subscribed = asyncio.ensure_future(self._hub.subscribed(before + 1))
        await asyncio.wait({self._next, subscribed}, return_when=asyncio.FIRST_COMPLETED)
        subscribed.cancel()

    async def result(self) -> ExecutionResult:
        assert self._results is not None
        async with asyncio.timeout(10):
            found: ExecutionResult = await self._next
        self._next = asyncio.ensure_future(anext(self._results))
        return found

    async def item(self) -> Any:
        found = await self.result()
        assert found.errors is None, found.errors
        assert found.data is not None
        return found.data["usageEvents"]

    async def models(self, count: int) -> list[str]:
        return [(await self.item())["record"]["requestedModel"] for _ in range(count)]

    async def stop(self) -> None:
        if self._results is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
