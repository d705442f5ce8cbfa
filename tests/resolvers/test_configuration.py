"""Whether a change is in force on every process."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from uuid_utils.compat import uuid7

from db.queries.configuration import beat, record_change
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

STATUS = """
{
  configStatus {
    latestNumber appliedNumber applied running 
    processes { host appliedNumber isUpToDate refusedNumber }
  }
}
"""
APPLIED = """
subscription ($number: BigInt) {
  configApplied(number: $number) {
    number applied running isEverywhere processes { host appliedNumber }
  }
}
"""
COUNTS = "subscription ($number: BigInt) { configApplied(number: $number) { applied running } }"


async def status(graphql: GraphQL, caller: Principal) -> Any:
    return (await graphql.data(STATUS, caller))["configStatus"]


async def test_tells_on_how_many_processes_the_newest_change_is_in_force(
    graphql: GraphQL, admin: Principal
) -> None:
    first, second = uuid7(), uuid7()
    async with graphql.database.write(None) as session:
        await record_change(session, "rule", None)
        await record_change(session, "rule", None)
    async with graphql.database.write(None) as session:
        await beat(session, first, "one", 2)
    async with graphql.database.write(None) as session:
        await beat(session, second, "two", 1, refused=2)

    before = await status(graphql, admin)
    await graphql.configuration.refresh()
    async with graphql.database.write(None) as session:
        await beat(session, second, "two", 2)
    after = await status(graphql, admin)

    one = {"host": "one", "appliedNumber": 2, "isUpToDate": True, "refusedNumber": None}
    assert before == {
        "latestNumber": 2,
        "appliedNumber": 0,
        "applied": 1,
        "running": 2,
        "processes": [
            one,
            {"host": "two", "appliedNumber": 1, "isUpToDate": False, "refusedNumber": 2},
        ],
    }
    assert after == {
        "latestNumber": 2,
        "appliedNumber": 2,
        "applied": 2,
        "running": 2,
        "processes": [
            one,
            {"host": "two", "appliedNumber": 2, "isUpToDate": True, "refusedNumber": None},
        ],
    }


async def test_is_for_administrators(graphql: GraphQL, user: Principal) -> None:
    assert await graphql.codes(STATUS, user) == ["FORBIDDEN"]
    assert await graphql.codes(STATUS, None) == ["UNAUTHENTICATED"]


async def beaten(graphql: GraphQL, host: str, applied: int) -> None:
    async with graphql.database.write(None) as session:
        await beat(session, uuid5(NAMESPACE_DNS, host), host, applied)


async def changed(graphql: GraphQL) -> None:
    async with graphql.database.write(None) as session:
        await record_change(session, "rule", None)


async def follow(
    graphql: GraphQL, caller: Principal | None, document: str = APPLIED, **variables: Any
) -> AsyncGenerator[Any, None]:
    """Each event's data, or the codes of its errors."""
    found: Any = await graphql.schema.subscribe(
        document, variable_values=variables, context_value=graphql.context(caller)
    )
    async for result in found:
        codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
        yield codes or result.data["configApplied"]


async def upcoming(events: AsyncGenerator[Any, None]) -> Any:
    async with asyncio.timeout(10):
        return await anext(events)


async def test_a_publisher_sees_a_change_arrive_everywhere(
    graphql: GraphQL, admin: Principal
) -> None:
    await changed(graphql)
    for host in ("one", "two"):
        await beaten(graphql, host, 0)
    events = follow(graphql, admin, number=1)

    seen = [await upcoming(events)]
    for host in ("one", "two"):
        await beaten(graphql, host, 1)
        seen.append(await upcoming(events))

    assert [
        (one["number"], one["applied"], one["running"], one["isEverywhere"]) for one in seen
    ] == [
        (1, 0, 2, False),
        (1, 1, 2, False),
        (1, 2, 2, True),
    ]
    assert seen[1]["processes"] == [
        {"host": "one", "appliedNumber": 1},
        {"host": "two", "appliedNumber": 0},
    ]
    assert [each async for each in events] == []


async def test_without_a_number_it_goes_on_with_the_newest_change(
    graphql: GraphQL, user: Principal
) -> None:
    await changed(graphql)
    await beaten(graphql, "one", 1)
    events = follow(graphql, user, COUNTS)

    before = await upcoming(events)
    await changed(graphql)
    after = await upcoming(events)
    await events.aclose()

    assert (before, after) == ({"applied": 1, "running": 1}, {"applied": 0, "running": 1})


async def test_several_followers_share_one_reader(graphql: GraphQL, admin: Principal) -> None:
    await changed(graphql)
    await beaten(graphql, "one", 1)
    followers = [follow(graphql, admin) for _ in range(20)]
    for each in followers:
        await upcoming(each)

    with graphql.statements() as sent:
        await asyncio.sleep(1)
    for each in followers:
        await each.aclose()
    with graphql.statements() as later:
        await asyncio.sleep(0.6)

    assert 0 < len(sent) <= 20
    assert later == []


async def test_it_ends_when_what_the_caller_signed_in_with_does(
    graphql: GraphQL, user: Principal
) -> None:
    await changed(graphql)
    await beaten(graphql, "one", 0)
    events = follow(graphql, replace(user, expires_at=time.time() + 0.5), COUNTS)
    await upcoming(events)
    await asyncio.sleep(0.6)
    await beaten(graphql, "one", 1)

    assert [each async for each in events] == []


async def test_which_processes_there_are_is_for_administrators(
    graphql: GraphQL, user: Principal
) -> None:
    await changed(graphql)
    await beaten(graphql, "one", 1)

    assert await upcoming(follow(graphql, user)) == ["FORBIDDEN"]
    assert await upcoming(follow(graphql, None)) == ["UNAUTHENTICATED"]
    assert await upcoming(follow(graphql, user, COUNTS, number=0)) == [None]
