"""Whether a change is in force on every process."""

from typing import Any

from uuid_utils.compat import uuid7

from db.queries.configuration import beat, record_change
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

STATUS = """
{
  configStatus {
    latestNumber appliedNumber applied running processes { host appliedNumber isUpToDate }
  }
}
"""


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
        await beat(session, second, "two", 1)

    before = await status(graphql, admin)
    await graphql.configuration.refresh()
    async with graphql.database.write(None) as session:
        await beat(session, second, "two", 2)
    after = await status(graphql, admin)

    one = {"host": "one", "appliedNumber": 2, "isUpToDate": True}
    assert before == {
        "latestNumber": 2,
        "appliedNumber": 0,
        "applied": 1,
        "running": 2,
        "processes": [one, {"host": "two", "appliedNumber": 1, "isUpToDate": False}],
    }
    assert after == {
        "latestNumber": 2,
        "appliedNumber": 2,
        "applied": 2,
        "running": 2,
        "processes": [one, {"host": "two", "appliedNumber": 2, "isUpToDate": True}],
    }


async def test_is_for_administrators(graphql: GraphQL, user: Principal) -> None:
    assert await graphql.codes(STATUS, user) == ["FORBIDDEN"]
    assert await graphql.codes(STATUS, None) == ["UNAUTHENTICATED"]
