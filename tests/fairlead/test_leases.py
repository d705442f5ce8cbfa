"""A whole installation that lends itself credits: ended by SIGTERM and by kill -9, under load."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from db.session import Database, create_engine
from tests.db.money import check, one
from tests.e2e.installation import Installation, start
from tests.e2e.local import add_models
from tests.fairlead.server import OwnServer
from tests.provider.server import FakeProvider

MODEL = "fake-n2"
QUESTION: dict[str, Any] = {
    "model": f"local/{MODEL}",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 20,
}
AT_ONCE = 8
PAID = 1_000_000_000_000
PAYER = "{ viewer { organization { id } } }"
PAY = """
mutation ($input: CreditWalletInput!) { creditWallet(input: $input) { __typename } }
"""
ENFORCE = """
mutation { updateCreditSettings(input: { mode: ENFORCED }) { __typename } }
"""
OPEN = "SELECT count(*) FROM holds WHERE leased_until IS NOT NULL"


@pytest.fixture
async def seen(postgres: OwnServer) -> AsyncIterator[Database]:
    """The installation's own."""
    engine = create_engine(postgres.url)
    yield Database(engine)
    await engine.dispose()


async def _pays(served: Installation, provider: FakeProvider) -> None:
    await add_models(served, provider, MODEL)
    payer = (await served.graphql(PAYER))["viewer"]["organization"]["id"]
    paid = {"wallet": payer, "amount": "1000", "reason": "test", "idempotencyKey": "test"}
    made = await served.graphql(PAY, input=paid)
    assert made["creditWallet"]["__typename"] == "CreditWalletPayload"
    made = await served.graphql(ENFORCE)
    assert made["updateCreditSettings"]["__typename"] == "UpdateCreditSettingsPayload"


@asynccontextmanager
async def _busy(served: Installation, key: str, seen: Database) -> AsyncIterator[None]:
    """Requests without a pause; the block begins while some are granted from a lease."""
    over = asyncio.Event()

    async def ask(client: httpx2.AsyncClient) -> None:
        while not over.is_set():
            with suppress(httpx2.HTTPError):
                await client.post("/chat/completions", json=QUESTION)
            await asyncio.sleep(0.005)

    async with httpx2.AsyncClient(
        trust_env=False,
        timeout=30,
        base_url=f"{served.base_url}/v1",
        headers={"authorization": f"Bearer {key}"},
    ) as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(AT_ONCE)]
        for _ in range(300):
            if await one(seen, OPEN):
                break
            await asyncio.sleep(0.05)
        assert await one(seen, OPEN)
        # Until some were granted from it.
        await asyncio.sleep(0.7)
        yield
        over.set()
        await asyncio.gather(*asking)


async def _is_quiet(seen: Database) -> None:
    """Nothing is held, and what was charged is what the wallet has less."""
    held = "SELECT max(held) FROM wallets"
    for _ in range(300):
        if not await one(seen, held):
            break
        await asyncio.sleep(0.1)
    assert await one(seen, held) == 0
    charged = await one(seen, "SELECT sum(credits_charged)::bigint FROM llm_usage_logs")
    row = "SELECT posted || ' ' || frozen FROM wallets WHERE kind = 'ORGANIZATION'"
    assert await one(seen, row) == f"{PAID - charged} false"
    assert charged > 0
    await check(seen)


async def test_what_is_leased_comes_back_however_a_process_ends(
    open_folder: Path, postgres: OwnServer, fake_provider: FakeProvider, seen: Database
) -> None:
    env = {
        "FAIRLEAD_ALLOW_PRIVATE_HOSTS": fake_provider.host_port,
        "DATABASE_URL": postgres.url,
    }
    served = await start(open_folder, **env)
    key = served.key
    await _pays(served, fake_provider)
    async with _busy(served, key, seen):
        served.process.terminate()
        assert await served.process.wait() == 0
    assert "Traceback" not in served.output.read_text()
    assert await one(seen, "SELECT count(*) FROM holds") == 0
    await _is_quiet(seen)

    served = await start(open_folder, **env)
    async with _busy(served, key, seen):
        await served.kill()
    assert await one(seen, "SELECT count(*) FROM holds") > 0
    served = await start(open_folder, **env)
    await _is_quiet(seen)
    served.process.terminate()
    assert await served.process.wait() == 0
