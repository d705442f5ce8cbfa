"""The balance of a wallet, followed: the newest state from every replica, to whom it concerns."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from db.session import Database
from domain.balances import Balances, Following
from domain.principal import MemberRole, Principal
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.ledger import call, of

BALANCE = "subscription ($wallet: ID) { balance(wallet: $wallet) { balance held available } }"


class Follower:
    """One subscriber."""

    def __init__(self, graphql: GraphQL, balances: Balances) -> None:
        self._graphql = graphql
        self._balances = balances
        self._results: Any = None

    async def start(self, caller: Principal | None, **variables: Any) -> None:
        context = self._graphql.context(caller)
        context.balances = self._balances
        found = await self._graphql.schema.subscribe(
            BALANCE, variable_values=variables, context_value=context
        )
        self._results = aiter(found)

    async def next(self) -> Any:
        async with asyncio.timeout(30):
            return await anext(self._results)

    async def balance(self) -> str:
        found = await self.next()
        assert found.errors is None, found.errors
        balance: str = found.data["balance"]["balance"]
        return balance

    async def stop(self) -> None:
        await self._results.aclose()


@pytest.fixture
def balances(database: Database) -> Balances:
    return Balances(database, seconds=0.02)


@pytest.fixture
async def follower(graphql: GraphQL, balances: Balances) -> AsyncIterator[Follower]:
    found = Follower(graphql, balances)
    yield found
    await found.stop()


async def test_a_balance_is_told_as_it_is_and_as_it_changes(
    graphql: GraphQL, admin: Principal, user: Principal, follower: Follower, balances: Balances
) -> None:
    await follower.start(user)
    assert await follower.balance() == "0"

    await call(graphql, admin, "creditWallet", wallet=of(user), amount="2")
    assert await follower.balance() == "2"
    # As a data plane of another replica does.
    async with graphql.database.write(None) as session:
        await session.execute(text("UPDATE wallets SET held = 500000000 WHERE kind = 'USER'"))
    found = await follower.next()

    assert found.data["balance"] == {"balance": "2", "held": "0.5", "available": "1.5"}
    await follower.stop()
    assert not balances.watched


async def test_who_is_slow_hears_the_newest_alone(balances: Balances, user: Principal) -> None:
    following = Following(balances, user.user_id)
    for balance in (1, 2, 3, 3):
        following.put((balance,))

    assert await anext(following) == (3,)
    following.put((3,))
    following.put((4,))
    assert await anext(following) == (4,)
    following.put(None)
    with pytest.raises(StopAsyncIteration):
        await anext(following)


async def test_all_that_are_followed_are_read_in_one_statement(
    graphql: GraphQL, admin: Principal, user: Principal, balances: Balances
) -> None:
    followers = [Follower(graphql, balances) for _ in range(20)]
    for place, each in enumerate(followers):
        await each.start(admin, wallet=of((admin, user)[place % 2]))
    for each in followers:
        await each.balance()
    with graphql.statements() as sent:
        async with asyncio.timeout(20):
            while len(sent) < 3:  # noqa: ASYNC110 - statements are counted, not told of
                await asyncio.sleep(0.02)

    assert len(set(sent)) == 1
    for each in followers:
        await each.stop()


async def test_wallets_of_others_are_not_followed(
    graphql: GraphQL, admin: Principal, user: Principal, balances: Balances
) -> None:
    ours = global_id("Organization", user.organization_id or user.user_id)
    for caller, wallet in ((user, of(admin)), (user, ours), (user, "nonsense")):
        stranger = Follower(graphql, balances)
        await stranger.start(caller, wallet=wallet)
        found = await stranger.next()
        codes = [(error.extensions or {}).get("code") for error in found.errors]
        assert codes == ["NOT_FOUND"] or "no such wallet" in str(found.errors)
    governor = Follower(graphql, balances)
    await governor.start(replace(user, organization_role=MemberRole.ADMIN), wallet=ours)
    assert await governor.balance() == "0"
    await governor.stop()


async def test_it_ends_with_the_right_to_see(
    graphql: GraphQL, admin: Principal, user: Principal, follower: Follower, balances: Balances
) -> None:
    await follower.start(replace(user, expires_at=time.time() - 1))

    with pytest.raises(StopAsyncIteration):
        await follower.next()
    assert not balances.watched
