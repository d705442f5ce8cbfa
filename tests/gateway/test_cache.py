"""Exact repeats: answered once by a provider, then for nothing, within one tenant, by choice."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from auth.secrets import SecretBox, generate_master_key
from db.session import Database
from gateway.cache import Cache
from tests.gateway.plane import Plane, serving
from tests.gateway.ports import KEY
from tests.outage import outage
from tests.provider.server import FakeProvider

CANARY = "canary-prompt-55aa"


@pytest.fixture
def cache(database: Database) -> Cache:
    return Cache(database, SecretBox([generate_master_key()]))


@pytest.fixture
async def plane(fake_provider: FakeProvider, cache: Cache) -> AsyncIterator[Plane]:
    """A plane whose caller's key asks for the cache."""
    async with serving(fake_provider.host_port, cache=cache) as plane:
        provider = plane.provider("one", fake_provider.base_url, keys=("sk-one",))
        for name in ("fake-n8", "fake-t600-n8", "fake-500"):
            plane.model(provider, name)
        plane.callers.caller = replace(plane.callers.caller, cache_seconds=60)
        yield plane


async def ask(plane: Plane, model: str = "fake-n8", **more: Any) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": CANARY}], **more}
    async with httpx2.AsyncClient(timeout=30) as client:
        return await client.post(
            f"{plane.base_url}/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {KEY}"},
        )


def calls(fake_provider: FakeProvider) -> int:
    return len(fake_provider.log)


async def test_the_second_time_nobody_is_asked_and_nothing_is_charged(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    first = await ask(plane, user="a")
    second = await ask(plane, user="b")

    assert calls(fake_provider) == 1
    assert "x-fairlead-cache" not in first.headers
    assert second.headers["x-fairlead-cache"] == "hit"
    assert second.headers["x-fairlead-cost"] == "0"
    assert second.headers["x-fairlead-request-id"] != first.headers["x-fairlead-request-id"]
    assert second.json()["choices"] == first.json()["choices"]
    assert first.json()["usage"]["cost"] > 0
    assert second.json()["usage"] == first.json()["usage"] | {"cost": 0}
    asked, hit = plane.records.outcomes
    assert (asked.usage_source, hit.usage_source) == ("PROVIDER", "CACHE")
    assert (hit.status, hit.cost, hit.usage.output) == ("OK", 0, 0)
    assert (hit.provider_slug, hit.model_name) == ("one", "fake-n8")
    assert hit.attempts == ()


async def test_a_stream_is_replayed_whole_to_the_official_client(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    answers = []
    for _ in range(2):
        stream = await plane.client.chat.completions.create(
            model="fake-n8",
            messages=[{"role": "user", "content": "Hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        usage = chunks[-1].usage
        assert usage is not None
        answers.append((said, usage.completion_tokens, usage.model_extra))

    assert calls(fake_provider) == 1
    (first, tokens, cost), (second, again, nothing) = answers
    assert (first, tokens) == (second, again)
    assert cost != nothing == {"cost": 0}


async def test_of_many_that_come_together_one_is_sent_though_its_client_leaves(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    leaving = asyncio.create_task(ask(plane, "fake-t600-n8"))
    await fake_provider.until(lambda provider: calls(provider) == 1)
    staying = [asyncio.create_task(ask(plane, "fake-t600-n8")) for _ in range(5)]
    await asyncio.sleep(0.1)
    leaving.cancel()

    answers = await asyncio.gather(*staying)

    assert {answer.status_code for answer in answers} == {200}
    assert calls(fake_provider) == 1


async def test_another_tenant_or_request_or_a_key_that_did_not_ask_is_a_miss(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    await ask(plane)
    await ask(plane, temperature=0.1)
    caller = plane.callers.caller
    plane.callers.caller = replace(caller, user_id=uuid.uuid4())
    await ask(plane)
    plane.callers.caller = replace(caller, cache_seconds=None)
    await ask(plane)

    assert calls(fake_provider) == 4


async def test_a_failure_is_not_kept(plane: Plane, fake_provider: FakeProvider) -> None:
    statuses = [(await ask(plane, "fake-500")).status_code for _ in range(2)]

    assert statuses == [502, 502]
    assert [outcome.status for outcome in plane.records.outcomes] == ["ERROR", "ERROR"]


async def test_what_is_kept_is_sealed_and_ends(plane: Plane, database: Database) -> None:
    await ask(plane)
    async with database.read(None) as session:
        kept = (await session.execute(text("SELECT answer FROM llm_cached_answers"))).scalar_one()
    assert b"word0" not in kept
    assert CANARY.encode() not in kept
    async with database.write(None) as session:
        await session.execute(text("UPDATE llm_cached_answers SET expires_at = now()"))

    assert "x-fairlead-cache" not in (await ask(plane)).headers


async def test_without_the_database_the_provider_is_asked(
    plane: Plane, fake_provider: FakeProvider, server_url: str, database_url: str
) -> None:
    async with outage(server_url, database_url):
        answers = [await ask(plane) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert calls(fake_provider) == 2
