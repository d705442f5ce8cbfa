"""The models page: CPU a request of one Fairlead process, and of Node servers on the same rows.

    python -m benchmarks.graphql [--database URL | --keep FOLDER] [--seconds 8]

The peers are installed once: `cd benchmarks/peers && npm ci`.
"""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text
from sqlalchemy.engine import make_url

from benchmarks.dashboard import free_port, served
from benchmarks.subscribers import cpu_of
from benchmarks.usage import database_at, place_options
from benchmarks.usage_seed import MODELS_AND_PROVIDERS
from db.migrate import migrate
from db.session import create_engine

PEERS = Path(__file__).parent / "peers"
FIELDS = "id name displayName canonicalName contextLength enabled quality"
PROVIDER = "provider { id slug name type enabled version }"
OURS = f"{{ models(first: 100) {{ nodes {{ {FIELDS} {PROVIDER} }} }} }}"
OURS_WITH_HEALTH = (
    f"{{ models(first: 100) {{ nodes {{ {FIELDS} {PROVIDER} health {{ state }} }} }} }}"
)
THEIRS = f"{{ models(first: 100) {{ {FIELDS} {PROVIDER} }} }}"
POSTGRAPHILE = (
    "{ allLlmModels(first: 100, orderBy: PRIMARY_KEY_ASC) { nodes { id name displayName"
    " canonicalName contextLength enabled quality llmProviderByProviderId"
    " { id slug name type enabled version } } } }"
)
CREATE = """
mutation ($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { ... on CreateApiKeyPayload { secret } }
}
"""
AT_ONCE, ROUNDS, KEYS = 4, 3, 24


@dataclass
class Server:
    name: str
    address: str
    pid: int
    query: str
    keys: list[str] = field(default_factory=list)
    """Taken by turns: one alone would soon be at its limit, and refusals cost CPU as well."""

    def headers(self, number: int) -> dict[str, str]:
        if not self.keys:
            return {}
        return {"authorization": f"Bearer {self.keys[number % len(self.keys)]}"}


async def keys_of(address: str, admin: str) -> list[str]:
    """As many keys as a measurement needs."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        found = []
        for number in range(KEYS):
            made = {"name": f"bench {number}", "idempotencyKey": f"{os.urandom(8).hex()}"}
            answer = await client.post(
                f"{address}/graphql",
                json={"query": CREATE, "variables": {"input": {**made, "scopes": ["READ"]}}},
                headers={"authorization": f"Bearer {admin}"},
            )
            found.append(answer.json()["data"]["createApiKey"]["secret"])
        return found


@asynccontextmanager
async def peer(name: str, url: str) -> AsyncIterator[tuple[str, int]]:
    port = free_port()
    env = os.environ | {"DATABASE_URL": url, "PORT": str(port), "NODE_ENV": "production"}
    process = await asyncio.create_subprocess_exec(
        "node", f"{name}.mjs", cwd=PEERS, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(trust_env=False) as client:
            for _ in range(100):
                with suppress(httpx2.HTTPError):
                    body = {"query": "{ __typename }"}
                    if (await client.post(f"{address}/graphql", json=body)).status_code == 200:
                        break
                await asyncio.sleep(0.2)
        yield address, process.pid
    finally:
        process.terminate()
        await process.wait()


async def ask(client: httpx2.AsyncClient, server: Server, seconds: float) -> tuple[int, int]:
    """How many answers, and the size of one."""
    count, size, end = 0, 0, time.monotonic() + seconds

    async def work() -> None:
        nonlocal count, size
        while time.monotonic() < end:
            answer = await client.post(
                f"{server.address}/graphql",
                json={"query": server.query},
                headers=server.headers(count),
            )
            body: dict[str, Any] = answer.json()
            if "errors" in body or answer.status_code != 200:
                raise RuntimeError(f"{server.name}: {answer.text[:500]}")
            count, size = count + 1, len(answer.content)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return count, size


async def main(asked: argparse.Namespace) -> None:
    async with database_at(asked) as url, AsyncExitStack() as stack:
        engine = create_engine(url)
        await migrate(engine)
        async with engine.begin() as connection:
            models = await connection.scalar(text("SELECT count(*) FROM llm_models"))
            for statement in MODELS_AND_PROVIDERS.format(models=500).split(";\n"):
                if statement.strip() and not models:
                    await connection.exec_driver_sql(statement)
        await engine.dispose()
        address, key, pid = await stack.enter_async_context(served(url))
        keys = await keys_of(address, key)
        servers = [
            Server("Fairlead", address, pid, OURS, keys),
            Server("Fairlead, with health", address, pid, OURS_WITH_HEALTH, keys),
        ]
        for name, query in (("apollo", THEIRS), ("yoga", THEIRS), ("postgraphile", POSTGRAPHILE)):
            place, peer_pid = await stack.enter_async_context(peer(name, _libpq(url)))
            servers.append(Server(name, place, peer_pid, query))
        await _measure(servers, asked.seconds)


def _libpq(url: str) -> str:
    """The URL as node's driver takes a socket's folder."""
    found = make_url(url)
    host = found.query.get("host")
    if host is None:
        return url
    place = f"postgresql://{found.username}:{found.password}@%2F{str(host)[1:]}"
    return place.replace("@%2F", "@").split("@")[0] + f"@localhost/{found.database}?host={host}"


async def _measure(servers: list[Server], seconds: float) -> None:
    spent: dict[str, list[float]] = {each.name: [] for each in servers}
    sizes: dict[str, int] = {}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        for each in list(servers):
            try:
                await ask(client, each, 1)
            except RuntimeError as error:
                print(f"not measured: {error}")
                servers.remove(each)
                del spent[each.name]
        for turn in range(ROUNDS + 1):
            for each in servers:
                before = cpu_of(each.pid)
                count, size = await ask(client, each, seconds if turn else 2)
                if turn:
                    spent[each.name].append((cpu_of(each.pid) - before) * 1_000 / max(count, 1))
                    sizes[each.name] = size
    ours = min(spent["Fairlead"])
    print(f"{'':24}{'CPU ms a request':>18}{'of ours':>10}{'bytes':>9}")
    for name, found in spent.items():
        print(f"{name:24}{min(found):18.2f}{min(found) / ours:10.2f}{sizes[name]:9,}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(parents=[place_options()])
    options.add_argument("--seconds", type=float, default=8)
    asyncio.run(main(options.parse_args()))
