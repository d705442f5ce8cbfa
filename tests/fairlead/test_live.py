"""Usage live from three processes on one database: complete, in order, resumed after any break."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from uuid_utils.compat import uuid7
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from db.queries.settlement import Settlements
from db.session import Database
from tests.e2e.installation import Installation, start
from tests.usage import usage_row

EVENTS = """
subscription ($after: String) {
  usageEvents(after: $after) {
    ... on UsageEvent { cursor record { requestedModel } }
    ... on UsageGap { reason }
  }
}
"""
NOW = datetime.now(UTC)
TOTALS = "subscription { usageTotals(period: DAYS_7) { totals { requests cost } } }"


@pytest.fixture
async def servers(open_folder: Path, database: Database) -> AsyncIterator[list[Installation]]:
    """Three replicas of one installation, each with a folder of its own."""
    name = database.engine.url.render_as_string(hide_password=False)
    url = make_url(name).set(drivername="postgresql").render_as_string(hide_password=False)
    async with AsyncExitStack() as stack:
        found: list[Installation] = []
        for number in range(3):
            folder = open_folder / str(number)
            folder.mkdir()
            key = {"ENCRYPTION_KEY": "A" * 43 + "="}
            served = await start(folder, DATABASE_URL=url, **key)
            found.append(served)
            stack.push_async_callback(_stop, served)
        found[1].key = found[2].key = found[0].key
        yield found


async def _stop(served: Installation) -> None:
    if served.process.returncode is None:
        await served.kill()


async def subscribed(served: Installation, query: str, **variables: Any) -> ClientConnection:
    url = served.base_url.replace("http", "ws") + "/graphql"
    socket = await connect(url, proxy=None, subprotocols=[Subprotocol("graphql-transport-ws")])
    payload = {"authorization": f"Bearer {served.key}"}
    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
    await socket.recv()
    asked = {"query": query, "variables": variables}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
    return socket


async def heard(socket: ClientConnection) -> Any:
    async with asyncio.timeout(20):
        message = json.loads(await socket.recv())
    assert message["type"] == "next", message
    return message["payload"]["data"]


async def follow(servers: list[Installation], turn: int, cursor: str, wanted: int) -> list[str]:
    """Everything that is told after the cursor, through connections that break again and again."""
    found: list[str] = []
    while len(found) < wanted:
        socket = await subscribed(servers[turn % 3], EVENTS, after=cursor)
        for _ in range(5):
            event = (await heard(socket))["usageEvents"]
            cursor = event["cursor"]
            if event["record"]["requestedModel"] != "begin":
                found.append(event["record"]["requestedModel"])
            if len(found) == wanted:
                break
        socket.transport.abort()
        turn += 1
    return found


async def test_every_event_in_order_across_processes_with_reconnects(
    servers: list[Installation], database: Database
) -> None:
    writers, wanted = [Settlements(database) for _ in range(3)], 90
    await writers[0].settle([usage_row(requested_model="first")])
    marker = await subscribed(servers[0], EVENTS, after=None)
    begun = asyncio.ensure_future(heard(marker))
    while not begun.done():
        await writers[0].settle([usage_row(requested_model="begin")])
        await asyncio.wait([begun], timeout=0.2)
    cursor = (await begun)["usageEvents"]["cursor"]

    async def write(number: int) -> None:
        for each in range(number, wanted, 3):
            await writers[number].settle([usage_row(requested_model=str(each))])

    following = [asyncio.ensure_future(follow(servers, n, cursor, wanted)) for n in range(3)]
    await asyncio.gather(*(write(n) for n in range(3)))
    async with asyncio.timeout(120):
        streams = await asyncio.gather(*following)

    assert streams[0] == streams[1] == streams[2]
    assert sorted(streams[0], key=int) == [str(n) for n in range(wanted)]


async def test_killing_the_process_that_tells_loses_nothing(
    servers: list[Installation], database: Database
) -> None:
    """Whoever was told by it goes on at another, behind the last event that was heard."""
    writer, wanted = Settlements(database), 40
    first = await subscribed(servers[0], EVENTS, after=None)
    begun = asyncio.ensure_future(heard(first))
    while not begun.done():
        await writer.settle([usage_row(requested_model="begin")])
        await asyncio.wait([begun], timeout=0.2)
    cursor = (await begun)["usageEvents"]["cursor"]

    async def write() -> None:
        for number in range(wanted):
            await writer.settle([usage_row(requested_model=f"{number}.{n}") for n in range(3)])

    writing, found = asyncio.ensure_future(write()), list[str]()
    while len(found) < wanted:
        event = (await heard(first))["usageEvents"]
        cursor = event["cursor"]
        found.append(event["record"]["requestedModel"])
    await servers[0].kill()
    second = await subscribed(servers[1], EVENTS, after=cursor)
    # Some "begin" may have settled after the first that was heard.
    while found[-1:] != [f"{wanted - 1}.2"] and len(found) < 10 * wanted:
        found.append((await heard(second))["usageEvents"]["record"]["requestedModel"])
    await writing

    told = [each for each in found if each != "begin"]
    assert len(told) == len(set(told)) == 3 * wanted
    assert [int(each.partition(".")[0]) for each in told] == sorted([*range(wanted)] * 3)


async def test_totals_are_told_from_whichever_process_settles(
    servers: list[Installation], database: Database
) -> None:
    sockets = [await subscribed(served, TOTALS) for served in servers]
    for socket in sockets:
        assert (await heard(socket))["usageTotals"]["totals"]["requests"] == 0

    for _ in range(20):
        await Settlements(database).settle([usage_row(id=uuid7(), started_at=NOW, cost=10**9)])

    for socket in sockets:
        messages = 0
        while True:
            messages += 1
            totals = (await heard(socket))["usageTotals"]["totals"]
            if totals["requests"] == 20:
                break
        assert totals["cost"] == "20"
        assert messages < 20
        socket.transport.abort()


async def test_the_clients_people_use_hear_the_same(
    servers: list[Installation], database: Database, checkout: Path
) -> None:
    script = checkout / "tests" / "fairlead" / "subscribers.mjs"
    served = servers[1]
    process = await asyncio.create_subprocess_exec(
        *("node", str(script), f"{served.base_url}/graphql", served.key, "3"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    done = asyncio.ensure_future(process.communicate())
    while not done.done():
        await Settlements(database).settle([usage_row(requested_model="x")])
        await asyncio.wait([done], timeout=0.3)
    output, _ = await done

    assert process.returncode == 0, output
    lines = [json.loads(line) for line in output.splitlines()]
    assert {each["name"] for each in lines} == {"ws", "sse"}
    assert all(each["heard"] == ["x", "x", "x"] for each in lines)
