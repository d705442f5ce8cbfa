"""Three processes on one PostgreSQL: what is published is in force on each within three seconds."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from sqlalchemy.engine import make_url

from auth.secrets import generate_master_key
from db.queries.rule import RuleHolder, replace_live_rule
from db.session import Database, create_engine
from domain.audit import AuditAction, AuditObject, record
from tests.e2e.installation import Installation, running
from tests.outage import end_connections, server

SOON = 10.0
"""Seconds from the answer to the publisher to the last process, beside other tests: a bound, and no
measurement."""
PUBLISH = """
mutation ($input: SetRoutingRulesInput!) {
  setRoutingRules(input: $input) { ... on SetRoutingRulesPayload { changeNumber } }
}
"""
EXPLAIN = """
{ explainRoute(input: {model: "auto", inputTokens: 1}) { maxAttempts snapshotNumber } }
"""
APPLIED = """
subscription ($number: BigInt) {
  configApplied(number: $number) { applied running isEverywhere }
}
"""
STATUS = "{ configStatus { latestNumber applied running processes { appliedNumber } } }"


@pytest.fixture
async def replicas(
    database_url: str, database: Database, tmp_path: Path
) -> AsyncIterator[list[Installation]]:
    """The first makes the administrator's key, which is good for all."""
    env = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": generate_master_key().reveal()}
    async with AsyncExitStack() as stack:
        folders = [tmp_path / f"{n}" for n in range(3)]
        for folder in folders:
            folder.mkdir()
        first = await stack.enter_async_context(running(folders[0], None, **env))
        others = (stack.enter_async_context(running(each, None, **env)) for each in folders[1:])
        found = [first, *await asyncio.gather(*others)]
        for each in found:
            each.key = found[0].key
        await until_applied(found[0])
        yield found


async def until_applied(replica: Installation) -> None:
    async with asyncio.timeout(60):
        while True:
            status = (await replica.graphql(STATUS))["configStatus"]
            if (status["applied"], status["running"]) == (3, 3):
                return
            await asyncio.sleep(0.1)


async def in_force(replica: Installation, attempts: int) -> None:
    while True:
        found = (await replica.graphql(EXPLAIN))["explainRoute"]
        if found["maxAttempts"] == attempts:
            return
        await asyncio.sleep(0.05)


async def everywhere(replicas: list[Installation], attempts: int) -> float:
    """Seconds until each decides by the new rules."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        await asyncio.gather(*(in_force(each, attempts) for each in replicas))
    return time.monotonic() - began


async def followed(replica: Installation, number: int) -> list[Any]:
    """What the publisher is told, until the subscription ends by itself."""
    body = {"query": APPLIED, "variables": {"number": number}}
    headers = {"authorization": f"Bearer {replica.key}", "accept": "text/event-stream"}
    told = []
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=30) as client,
        client.stream("POST", f"{replica.base_url}/graphql", json=body, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                told.append(orjson.loads(line[6:])["data"]["configApplied"])
    return told


async def test_a_publisher_sees_three_of_three(replicas: list[Installation]) -> None:
    first, *_ = replicas
    published = await first.graphql(PUBLISH, input={"maxAttempts": 2})
    began = time.monotonic()
    told = await followed(first, published["setRoutingRules"]["changeNumber"])
    took = time.monotonic() - began

    assert told[-1] == {"applied": 3, "running": 3, "isEverywhere": True}
    assert [each["isEverywhere"] for each in told[:-1]] == [False] * (len(told) - 1)
    assert took < SOON
    assert await everywhere(replicas, 2) < SOON
    status = (await first.graphql(STATUS))["configStatus"]
    assert (status["applied"], status["running"]) == (3, 3)
    latest = status["latestNumber"]
    assert [each["appliedNumber"] for each in status["processes"]] == [latest] * 3


async def test_killed_listeners_delay_nobody(
    replicas: list[Installation], database_url: str, server_url: str
) -> None:
    name = make_url(database_url).database or ""
    async with server(server_url) as connection:
        for attempts in (2, 4, 5):
            assert await end_connections(connection, name, "fairlead changes") >= 1
            await replicas[1].graphql(PUBLISH, input={"maxAttempts": attempts})
            assert await everywhere(replicas, attempts) < SOON


async def test_a_change_that_nobody_was_notified_of_arrives_all_the_same(
    replicas: list[Installation], database_url: str
) -> None:
    """As when the publisher dies right after its commit."""
    engine = create_engine(database_url)
    async with Database(engine).write(None) as session:
        row = await replace_live_rule(
            session, RuleHolder("GLOBAL"), {"body": {"max_attempts": 7}, "note": None}
        )
        kind = AuditObject.ROUTING_RULE_VERSION
        await record(session, AuditAction.PUBLISH, kind, row.id, after=row)
    await engine.dispose()

    assert await everywhere(replicas, 7) < SOON


async def test_a_replica_that_dies_is_no_longer_counted_and_one_that_comes_is(
    replicas: list[Installation], tmp_path: Path
) -> None:
    first, *_, last = replicas
    await last.kill()
    published = await first.graphql(PUBLISH, input={"maxAttempts": 6})
    told = await asyncio.wait_for(
        followed(first, published["setRoutingRules"]["changeNumber"]), timeout=30
    )

    assert told[-1] == {"applied": 2, "running": 2, "isEverywhere": True}
    assert {each["running"] for each in told} == {3, 2}


async def until_out(client: httpx2.AsyncClient, replica: Installation, cookie: str) -> None:
    while True:
        answer = await client.get(f"{replica.base_url}/session", headers={"cookie": cookie})
        if answer.status_code == 401:
            return
        await asyncio.sleep(0.05)


async def test_who_signs_out_at_one_is_signed_out_at_all(replicas: list[Installation]) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        first = replicas[0].base_url
        opened = await client.post(f"{first}/session", json={"key": replicas[0].key})
        cookie = opened.headers["set-cookie"].partition(";")[0]
        client.cookies.clear()
        for each in replicas:
            known = await client.get(f"{each.base_url}/session", headers={"cookie": cookie})
            assert known.status_code == 200
        await client.delete(f"{first}/session", headers={"cookie": cookie, "origin": first})
        async with asyncio.timeout(SOON):
            await asyncio.gather(*(until_out(client, each, cookie) for each in replicas))
