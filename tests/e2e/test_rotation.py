"""Master keys are rotated in processes that are killed, while callers use and keep secrets."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from auth.rotation import SEALINGS
from auth.secrets import SecretBox, generate_master_key
from db.session import Database
from domain.ports import Sealed
from domain.secret import Secret
from tests.auth.test_rotation import add_credentials
from tests.e2e.installation import Installation, start
from tests.e2e.local import CREATE_MODEL, CREATE_PROVIDER, PRICE
from tests.e2e.rotating import ADD_API_KEY, SAVE_OWN, Traffic
from tests.provider.server import FakeProvider

MANY = 4_000
"""Provider keys that are there before: forty batches, so that a rotation outlives three kills."""
KILLS = (0, 200, 500)
"""How many are done when a rotation is killed in the midst of the next."""
_DONE = re.compile(r"(\d+) secrets were sealed anew")


class House:
    """Two servers on one database, which are given other keys one after the other."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.env = env
        self.traffic: Traffic | None = None
        self.servers: dict[str, Installation] = {}

    async def start(self, name: str, keys: str) -> Installation:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        server = await start(folder, ENCRYPTION_KEY=keys, **self.env)
        self.servers[name] = server
        if self.traffic is not None:
            self.traffic.servers.append(server)
        return server

    async def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGKILL comes without a word to whoever balances the load, SIGTERM does not."""
        server = self.servers.pop(name)
        asked = self.traffic.servers if self.traffic is not None else []
        if how is signal.SIGTERM and server in asked:
            asked.remove(server)
            # What was sent to it a moment ago has come by then.
            await asyncio.sleep(1)
        os.kill(server.process.pid, how)
        await server.process.wait()
        if server in asked:
            await asyncio.sleep(0.2)
            asked.remove(server)

    async def give(self, keys: str) -> None:
        for name in list(self.servers):
            await self.stop(name)
            await self.start(name, keys)

    @asynccontextmanager
    async def rotating(self, keys: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """`fairlead keys rotate`, killed at the end of the block if it still runs."""
        env = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fairlead", "keys", "rotate"),
            env=env | self.env | {"ENCRYPTION_KEY": keys, "FAIRLEAD_DATA_DIR": str(self.folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def rotate(self, keys: str) -> int:
        """To its end; how many were sealed anew."""
        async with self.rotating(keys) as process:
            said, _ = await process.communicate()
        found = _DONE.search(" ".join(said.decode().split()))
        assert found is not None, said.decode()
        assert process.returncode == 0
        return int(found[1])


async def sealed_by(database: asyncpg.Connection, key: str) -> int:
    """How many of the provider keys that were there before are under `key`."""
    statement = (
        "SELECT count(*) FROM llm_credentials WHERE destination = 'https://x.example'"
        " AND master_key_id = $1"
    )
    return int(await database.fetchval(statement, key))


async def kill_after(house: House, keys: str, database: asyncpg.Connection, least: int) -> int:
    """Kill a rotation within a batch, once `least` are done; how many then are."""
    first = SecretBox([Secret(keys.partition(",")[0])]).master_key_ids[0]
    within = (
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'UPDATE llm_credentials%'"
        " AND state IN ('active', 'idle in transaction') AND datname = current_database()"
    )
    async with asyncio.timeout(60), house.rotating(keys) as process:
        while await sealed_by(database, first) < least or not await database.fetchval(within):
            assert process.returncode is None, "it ended before it could be killed"
        process.kill()
    for _ in range(1_000):
        if not await database.fetchval(within):
            break
        await asyncio.sleep(0.01)
    return await sealed_by(database, first)


async def prepared(house: House, system: FakeProvider, own: FakeProvider, keys: str) -> Traffic:
    """Two servers, two providers, and keys to use them with."""
    first = await house.start("a", keys)
    await house.start("b", keys)
    ids = {}
    for slug, upstream in (("system", system), ("own", own)):
        given = {"slug": slug, "name": slug, "type": "CUSTOM", "baseUrl": upstream.base_url}
        made = await first.graphql(CREATE_PROVIDER, input=given)
        ids[slug] = made["createProvider"]["provider"]["id"]
        await first.graphql(
            CREATE_MODEL, input={"provider": ids[slug], "name": "fake", "price": PRICE}
        )
    saved = {"provider": ids["own"], "secret": own.key}
    await first.graphql(SAVE_OWN, i=saved)
    cached = await first.graphql(ADD_API_KEY, i={"name": "cached", "cacheSeconds": 600})
    traffic = Traffic(first.key, cached["done"]["secret"], ids["system"], ids["own"])
    traffic.servers += house.servers.values()
    traffic.kept.add(own.key or "")
    house.traffic = traffic
    return traffic


async def everything(database: asyncpg.Connection, box: SecretBox) -> dict[str, list[str]]:
    """Every sealed record of every table, in clear, by table; raises where one does not open."""
    found: dict[str, list[str]] = {}
    for table, sealing in SEALINGS.items():
        rows = await database.fetch(f"SELECT * FROM {table} WHERE {sealing.column} IS NOT NULL")
        opened = [
            box.open(Sealed(row[sealing.column], row["master_key_id"]), sealing.place(Row(row)))
            for row in rows
        ]
        found[table] = [each.reveal() for each in opened]
    return found


class Row:
    """A record whose columns are attributes."""

    def __init__(self, record: Any) -> None:
        self.__dict__.update(record)


async def check(
    traffic: Traffic, database: asyncpg.Connection, box: SecretBox, before: Mapping[str, int]
) -> None:
    """Nobody was refused, and all that was kept opens; `before` the last restarts was `done`."""
    assert not traffic.failed, traffic.failed[:5]
    assert all(traffic.done[name] > before[name] + 2 for name in traffic.done)
    opened = await everything(database, box)
    assert traffic.kept <= set(opened["llm_credentials"])
    assert traffic.signing <= set(opened["webhook_secrets"])
    assert len(opened["llm_credentials"]) >= MANY + len(traffic.kept)
    assert all(opened[table] for table in SEALINGS)
    assert traffic.moved > 0


async def test_keys_rotate_while_everything_is_used_and_killed(
    tmp_path: Path, database: Database, database_url: str
) -> None:
    old, new = generate_master_key(), generate_master_key()
    one, both = old.reveal(), f"{old.reveal()},{new.reveal()}"
    promoted = f"{new.reveal()},{old.reveal()}"
    async with FakeProvider() as system, FakeProvider(key="sk-own-" + "a" * 32) as own:
        hosts = f"{system.host_port},{own.host_port}"
        house = House(tmp_path, DATABASE_URL=database_url, FAIRLEAD_ALLOW_PRIVATE_HOSTS=hosts)
        raw = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        try:
            traffic = await prepared(house, system, own, one)
            await add_credentials(database, SecretBox([old]), MANY)
            async with traffic.going_on():
                await house.give(both)
                await house.give(promoted)
                done = 0
                for least in KILLS:
                    now = await kill_after(house, promoted, raw, least)
                    assert done <= now < MANY
                    done = now
                await house.stop("a", signal.SIGKILL)
                await house.start("a", promoted)
                last = await house.rotate(promoted)
                assert last >= MANY - done > 0
                assert await house.rotate(promoted) == 0
                before = traffic.done.copy()
                await house.give(new.reveal())
                await asyncio.sleep(1)
            await check(traffic, raw, SecretBox([new]), before)
        finally:
            await raw.close()
            for name in list(house.servers):
                await house.stop(name)
