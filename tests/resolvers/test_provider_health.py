"""The subscription providerHealth: what is known, then what changes, of what one may see."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from db.queries.configuration import beat
from db.session import Database
from domain.board import Board
from domain.health import Failure, Observatory
from domain.principal import Principal
from gateway.health import HealthReporter
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.seeds import seed

FOLLOW = """
subscription ($ids: [ID!]) {
  providerHealth(providers: $ids) {
    provider { slug } state since disabledReason
    health { state circuit rateLimitedUntil firstTokenP50Ms errorRate samples windowSeconds }
    models { model { reference } health { state circuit errorRate rateLimitedUntil } }
  }
}
"""


class Follower:
    """One subscriber, and the reporter that feeds it."""

    def __init__(self, graphql: GraphQL) -> None:
        self.graphql = graphql
        self.board = Board()
        self.reporter = HealthReporter(
            graphql.database,
            graphql.configuration,
            self.board,
            lambda *_: None,
            idle_seconds=0,
        )

    async def follow(self, caller: Principal, ids: list[str] | None = None) -> None:
        context = self.graphql.context(caller)
        context.health = self.board
        found = await self.graphql.schema.subscribe(
            FOLLOW, variable_values={"ids": ids}, context_value=context
        )
        self._results: AsyncIterator[Any] = aiter(found)
        self._next = asyncio.ensure_future(anext(self._results))
        for _ in range(20):
            await asyncio.sleep(0)
        assert self.board.watched

    async def heard(self) -> Any:
        await self.reporter.look()
        async with asyncio.timeout(10):
            result: ExecutionResult = await self._next
        assert result.errors is None, result.errors
        self._next = asyncio.ensure_future(anext(self._results))
        assert result.data is not None
        return result.data["providerHealth"]

    async def quiet(self) -> bool:
        await self.reporter.look()
        done, _ = await asyncio.wait({self._next}, timeout=0.2)
        return not done


@pytest.fixture
async def follower(graphql: GraphQL, database: Database) -> AsyncIterator[Follower]:
    await seed(database, 1)
    await graphql.configuration.refresh()
    async with database.write(None) as session:
        await beat(session, graphql.configuration.process_id, "here", 1)
    made = Follower(graphql)
    yield made
    made._next.cancel()
    await asyncio.gather(made._next, return_exceptions=True)


def fail(graphql: GraphQL, observatory: Observatory, reference: str) -> None:
    deployment = graphql.configuration.snapshot.by_reference[reference]
    for _ in range(5):
        observatory.failed(deployment, Failure.SERVER_ERROR)


async def test_tells_what_is_known_then_what_changes_and_nothing_else(
    graphql: GraphQL, follower: Follower, admin: Principal, observatory: Observatory
) -> None:
    await follower.follow(admin)
    first = await follower.heard()
    quiet = await follower.quiet()
    fail(graphql, observatory, "p000/m001")
    then = await follower.heard()

    assert (first["provider"]["slug"], first["state"], first["models"]) == ("p000", "UNKNOWN", [])
    assert first["health"]["windowSeconds"] == 300
    assert quiet
    assert (then["state"], then["health"]["circuit"]) == ("UNHEALTHY", "OPEN")
    [model] = then["models"]
    assert model["model"]["reference"] == "p000/m001"
    assert (model["health"]["state"], model["health"]["errorRate"] > 0) == ("UNHEALTHY", True)


async def test_a_key_at_its_limit_is_seen_with_its_end(
    graphql: GraphQL, follower: Follower, admin: Principal, observatory: Observatory
) -> None:
    snapshot = graphql.configuration.snapshot
    deployment = snapshot.by_reference["p000/m000"]
    observatory.failed(deployment, Failure.SERVER_ERROR)
    for key in snapshot.credentials[deployment.provider.id]:
        observatory.rate_limited(deployment, key, 30.0)
    await follower.follow(admin)

    told = await follower.heard()
    assert told["models"][0]["health"]["rateLimitedUntil"] is not None
    assert told["health"]["rateLimitedUntil"] is not None


async def test_a_person_hears_nothing_of_a_provider_that_is_switched_off(
    graphql: GraphQL, follower: Follower, admin: Principal, user: Principal
) -> None:
    id = global_id("Provider", next(iter(graphql.configuration.snapshot.credentials)))
    await graphql.data(
        "mutation ($id: ID!) { updateProvider(input: {id: $id, enabled: false}) { __typename } }",
        admin,
        id=id,
    )
    await follower.follow(user)
    silent = await follower.quiet()
    follower._next.cancel()
    await follower.follow(admin)

    assert silent
    assert (await follower.heard())["disabledReason"] == "It is switched off."


async def test_only_those_asked_for(graphql: GraphQL, follower: Follower, admin: Principal) -> None:
    await follower.follow(admin, ["bm9wZQ=="])

    assert await follower.quiet()


async def test_ends_with_the_callers_right(
    follower: Follower, admin: Principal, observatory: Observatory, graphql: GraphQL
) -> None:
    await follower.follow(replace(admin, expires_at=time.time() - 1))
    await follower.reporter.look()

    with pytest.raises(StopAsyncIteration):
        await follower._next
