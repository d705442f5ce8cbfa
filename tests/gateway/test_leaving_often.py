"""Thousands of clients leave, each at another moment: nothing of them stays, and calls go on.

`--leave 10000` for as many as docs/security-tests.md promises.
"""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from db.session import Database
from tests.db.money import asks, check, fund, one, wallet
from tests.gateway.plane import KEY, identity
from tests.gateway.purse import Paying, paying
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

PERSON = identity("user")
FUNDS = 100_000 * 1_000_000_000
AT_ONCE = 40
CLEAN = 100
MODELS = ("fake-n500-g20", "fake-silent", "fake-t50")
MOMENTS = ("in the head", "in the body", "before the answer", "in the first", "in the midst")


@dataclass(frozen=True, slots=True)
class Counts:
    """What is open in this process, and held in the database."""

    tasks: int
    files: int
    clients: int
    upstreams: int
    holds: int


@pytest.fixture
async def till(
    database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> AsyncIterator[Paying]:
    await fund(database, PERSON, FUNDS)
    async with paying(database, tmp_path, fake_provider.host_port) as till:
        till.plane.credits()
        made = till.plane.provider("one", fake_provider.base_url)
        for name in (*MODELS, "fake"):
            till.plane.model(made, name)
        yield till


async def counted(till: Paying, upstream: FakeProvider, most: int = 1_000) -> Counts:
    """Once all that was begun has ended, for which it has ten seconds."""
    assert till.plane.server is not None
    found = Counts(0, 0, 0, 0, -1)
    for _ in range(20):
        await upstream.idle()
        await till.settle()
        gc.collect()
        found = Counts(
            tasks=len(asyncio.all_tasks()),
            files=len(os.listdir("/proc/self/fd")),
            clients=len(till.plane.server.server_state.connections),
            upstreams=upstream.open,
            holds=await one(till.database, "SELECT count(*) FROM holds"),
        )
        if found.holds == 0 and found.tasks <= most:
            break
        await asyncio.sleep(0.5)
    return found


async def leave(till: Paying, turn: int) -> None:
    """With a reset, or every other time with an end."""
    moment = MOMENTS[turn % len(MOMENTS)]
    streams = moment.startswith("in the ")
    model = MODELS[0] if streams else MODELS[1 + turn // len(MOMENTS) % 2]
    body = orjson.dumps({"model": f"one/{model}", "messages": HELLO, "stream": streams})
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    where = urlsplit(till.plane.base_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    sent = {"in the head": head[:40], "in the body": head + body[:20]}.get(moment, head + body)
    writer.write(sent)
    with suppress(ConnectionError):
        await writer.drain()
        if moment == "before the answer":
            await asyncio.sleep(0.002 * (turn % 7))
        elif moment == "in the first":
            await reader.read(1)
        elif moment == "in the midst":
            await reader.readuntil(b"\n\ndata")
    if turn % 2:
        writer.transport.abort()
    else:
        writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def call(till: Paying) -> None:
    await till.plane.client.chat.completions.create(model="one/fake", messages=HELLO)


async def test_nothing_stays_of_many_who_left_often(
    till: Paying, fake_provider: FakeProvider, pytestconfig: pytest.Config
) -> None:
    many = pytestconfig.getoption("--leave")
    await asyncio.gather(*(call(till) for _ in range(AT_ONCE)))
    before = await counted(till, fake_provider)

    for turn in range(0, many, AT_ONCE):
        await asyncio.gather(*(leave(till, turn + n) for n in range(AT_ONCE)))
    after = await counted(till, fake_provider, before.tasks)
    for _ in range(CLEAN):
        await call(till)
    await till.settle()

    sys.stdout.write(f"{many} left; before {before}; after {after}\n")
    assert (after.holds, before.holds) == (0, 0)
    assert after.tasks <= before.tasks
    assert after.files <= before.files
    assert after.clients <= before.clients
    assert after.upstreams <= before.upstreams
    statuses = "SELECT string_agg(DISTINCT status, ' ' ORDER BY status) FROM llm_usage_logs"
    assert await one(till.database, statuses) == "CANCELLED OK"
    served = await one(till.database, "SELECT count(*) FROM llm_usage_logs WHERE status = 'OK'")
    assert served >= AT_ONCE + CLEAN
    left = await one(till.database, "SELECT count(*) FROM llm_usage_logs")
    assert left - served >= many * 2 // len(MOMENTS)
    posted, held, frozen = await wallet(till.database, PERSON)
    charged = await one(till.database, "SELECT sum(credits_charged)::bigint FROM llm_usage_logs")
    assert (posted, held, frozen) == (FUNDS - charged, 0, False)
    await check(till.database)


async def test_money_set_aside_for_who_is_cancelled_meanwhile_is_given_back(till: Paying) -> None:
    """Before it waits, while it waits, while it is granted, and after that."""
    tasks = []
    for turn in range(60):
        asked = asks(PERSON, 1_000)
        task = asyncio.create_task(till.holds.take(asked, ()))
        tasks.append(task)
        await asyncio.sleep(0.001 * (turn % 5))
        task.cancel()
        if turn % 3 == 0:
            kept = asks(PERSON, 1_000)
            assert await till.holds.take(kept, ()) == 1_000
            till.holds.give_back(kept.request_id)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    kept = asks(PERSON, 1_000)
    await till.holds.take(kept, ())
    await till.holds.settled()

    assert sum(isinstance(each, asyncio.CancelledError) for each in found) > 10
    granted = sum(isinstance(each, int) for each in found)
    assert await one(till.database, "SELECT count(*) FROM holds") == granted + 1
