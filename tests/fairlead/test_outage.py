"""The database away, in every way: who is known goes on, nobody is told 401, nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from auth import apikey
from db.models.usage import UsageLog
from db.session import Database, create_engine
from tests.e2e.installation import Installation, start
from tests.e2e.local import add_models
from tests.fairlead.server import OwnServer
from tests.provider.server import FakeProvider

MODEL = "fake-n2"
QUESTION: dict[str, Any] = {
    "model": f"local/{MODEL}",
    "messages": [{"role": "user", "content": "Hello"}],
}
WAYS = ("stopped", "frozen", "refusing", "read-only")
AT_ONCE = 8


def _client(served: Installation, key: str) -> httpx2.AsyncClient:
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(
        trust_env=False, timeout=30, base_url=f"{served.base_url}/v1", headers=headers
    )


@asynccontextmanager
async def _load(served: Installation, key: str) -> AsyncIterator[Counter[int]]:
    """Requests of a known caller without a pause, and the statuses they got."""
    found: Counter[int] = Counter()
    over = asyncio.Event()

    async def ask(client: httpx2.AsyncClient) -> None:
        while not over.is_set():
            found[(await client.post("/chat/completions", json=QUESTION)).status_code] += 1

    async with _client(served, key) as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(AT_ONCE)]
        yield found
        over.set()
        await asyncio.gather(*asking)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Of what other processes do."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - nothing here could tell
            await asyncio.sleep(0.1)


async def _more(found: Counter[int], count: int) -> None:
    wanted = found.total() + count

    async def enough() -> bool:
        return found.total() >= wanted

    await _until(enough)


async def _stranger(served: Installation) -> httpx2.Response:
    async with _client(served, apikey.generate().secret.reveal()) as client:
        return await client.post("/chat/completions", json=QUESTION)


async def _ids(url: str) -> list[Any]:
    engine = create_engine(url)
    async with Database(engine).read(None) as session:
        ids = list(await session.scalars(select(UsageLog.id)))
    await engine.dispose()
    return ids


async def _settled(url: str, count: int) -> list[Any]:
    async def enough() -> bool:
        return len(await _ids(url)) >= count

    await _until(enough)
    return await _ids(url)


async def _started(folder: Path, postgres: OwnServer, provider: FakeProvider) -> Installation:
    return await start(
        folder, FAIRLEAD_ALLOW_PRIVATE_HOSTS=provider.host_port, DATABASE_URL=postgres.url
    )


def _said(folder: Path) -> str:
    """By all that were started from it."""
    return "".join(each.read_text() for each in folder.glob("output-*"))


async def _stop(served: Installation) -> None:
    served.process.terminate()
    assert await served.process.wait() == 0
    log = served.output.read_text()
    assert "Traceback" not in log, log[-20_000:]


@pytest.mark.parametrize("way", WAYS)
async def test_an_outage_under_load_is_not_noticed_by_who_is_known(
    open_folder: Path, postgres: OwnServer, fake_provider: FakeProvider, way: str
) -> None:
    served = await _started(open_folder, postgres, fake_provider)
    await add_models(served, fake_provider, MODEL)
    async with _load(served, served.key) as found:
        await _more(found, 50)
        async with postgres.way(way)():
            await _more(found, 300)
            stranger = await _stranger(served)
            assert served.process.returncode is None
        await _more(found, 50)
    rows = await _settled(postgres.url, len(fake_provider.chats))
    await _stop(served)

    # A database that can only be read still knows who is a stranger.
    assert stranger.status_code == (401 if way == "read-only" else 503)
    if way != "read-only":
        assert stranger.headers["retry-after"]
    assert found.keys() == {200}
    assert len(rows) == len(set(rows)) == found.total() == len(fake_provider.chats)


@pytest.mark.parametrize("way", ["stopped", "frozen"])
async def test_a_start_without_the_database_serves_who_was_known_and_settles_later(
    open_folder: Path, postgres: OwnServer, fake_provider: FakeProvider, way: str
) -> None:
    served = await _started(open_folder, postgres, fake_provider)
    key = served.key
    await add_models(served, fake_provider, MODEL)
    async with _load(served, key) as before:
        await _more(before, 10)
    await _stop(served)

    async with postgres.way(way)():
        served = await _started(open_folder, postgres, fake_provider)
        async with _load(served, key) as during:
            await _more(during, 200)
            stranger = await _stranger(served)
            async with httpx2.AsyncClient(trust_env=False) as client:
                ready = await client.get(f"{served.base_url}/readyz")
    rows = await _settled(postgres.url, before.total() + during.total())
    listed = await served.graphql("{ usageRecords(first: 1) { nodes { id } } }", key=key)
    said = served.output.read_text()
    await _stop(served)

    assert (stranger.status_code, stranger.headers["retry-after"]) == (503, "1")
    assert (ready.status_code, "the database is away" in ready.text) == (200, True)
    assert "The database is away" in said
    assert during.keys() == {200}
    assert len(rows) == len(set(rows)) == len(fake_provider.chats)
    assert listed["usageRecords"]["nodes"]


async def test_a_first_start_waits_for_a_database_that_is_not_ready_yet(
    open_folder: Path, postgres: OwnServer, fake_provider: FakeProvider
) -> None:
    async def asked_again() -> bool:
        return "not ready yet" in _said(open_folder)

    async with postgres.way("frozen")():
        starting = asyncio.create_task(_started(open_folder, postgres, fake_provider))
        await _until(asked_again)
    await _stop(await starting)


async def test_a_start_whose_embedded_database_fails_serves_and_recovers(
    open_folder: Path, fake_provider: FakeProvider
) -> None:
    allowed = {"FAIRLEAD_ALLOW_PRIVATE_HOSTS": fake_provider.host_port}
    served = await start(open_folder, **allowed)
    key = served.key
    await add_models(served, fake_provider, MODEL)
    async with _client(served, key) as client:
        assert (await client.post("/chat/completions", json=QUESTION)).status_code == 200
    await _stop(served)
    control = open_folder / "data" / "postgresql" / "postgres" / "global" / "pg_control"
    aside = control.with_name("pg_control.aside")
    control.rename(aside)

    served = await start(open_folder, **allowed)
    async with _client(served, key) as client:
        answer = await client.post("/chat/completions", json=QUESTION)
    stranger = await _stranger(served)
    aside.rename(control)

    async def back() -> bool:
        return (await _stranger(served)).status_code == 401

    async def settled() -> bool:
        listed = await served.graphql("{ usageRecords(first: 5) { nodes { id } } }", key=key)
        return len(listed["usageRecords"]["nodes"]) == 2

    await _until(back)
    await _until(settled)
    await _stop(served)

    assert answer.status_code == 200
    assert stranger.status_code == 503
