"""The filters of queries hold alone: nobody meets what is another's without row-level security."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from strawberry import Schema

from db.session import Actor, AsyncSession, Caller, Database
from tests.policies import test_walks as walks
from tests.policies.world import World
from tests.resolvers.conftest import GraphQL

WALKERS = ("user", "other user", "organisation's", "inference key")


class Unguarded(Database):
    """Opens every session as the system's own, which sees all rows."""

    @asynccontextmanager
    async def read(self, caller: Caller | None) -> AsyncIterator[AsyncSession]:
        async with super().read(None) as session:
            yield session

    @asynccontextmanager
    async def write(
        self, caller: Caller | None, request_id: UUID | None = None
    ) -> AsyncIterator[AsyncSession]:
        async with super().write(None) as session:
            if caller is not None:
                session.info["actor"] = Actor(caller.user_id, caller.api_key_id, request_id)
            yield session


@pytest.fixture
def open_world(graphql: GraphQL, world: World) -> World:
    """The world, asked without the second wall."""
    graphql.database = Unguarded(graphql.database.engine)
    return world


@pytest.mark.parametrize("who", WALKERS)
async def test_random_walks_meet_no_canary(
    graphql: GraphQL, schema: Schema, open_world: World, who: str
) -> None:
    await walks.test_random_walks_meet_no_canary(graphql, schema, open_world, who)


@pytest.mark.parametrize("who", ["user", "organisation's"])
async def test_a_foreign_id_and_none_at_all_are_answered_alike(
    graphql: GraphQL, open_world: World, who: str
) -> None:
    await walks.test_a_foreign_id_and_none_at_all_are_answered_alike(graphql, open_world, who)


@pytest.mark.parametrize("who", ["user", "organisation's"])
async def test_mutations_answer_a_foreign_id_as_one_that_is_not_there(
    graphql: GraphQL, schema: Schema, open_world: World, who: str
) -> None:
    await walks.test_mutations_answer_a_foreign_id_as_one_that_is_not_there(
        graphql, schema, open_world, who
    )
