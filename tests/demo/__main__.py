"""Serves an installation full of made-up traffic: `python -m tests.demo`, or `make demo`."""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx2
import uvloop

from db.queries.settlement import Settlements
from db.session import Database
from domain.health import Live, Observatory
from domain.secret import Secret
from domain.usage import TokenUsage
from fairlead.commands.keys import create_administrator_key
from fairlead.foundation import Foundation, laid
from fairlead.settings import Settings, default_data_dir
from gateway.configuration import RunningConfiguration
from gateway.records import Kind, Record, encode_outcome
from gateway.settling import Settler
from tests.demo.live import Traffic
from tests.demo.past import Asker, Past, Speed
from tests.demo.profile import Profile
from tests.demo.scene import NEWS, PEOPLE, UPSTREAMS
from tests.demo.setup import Installation, configure, date_back, has_usage, invite, is_demo, top_up
from tests.provider.server import FakeProvider

_BATCH = 1_000
_WARM = 30
_REAL = """This database has real traffic, which the demonstration would mix with made-up traffic.
Give it a folder of its own (FAIRLEAD_DATA_DIR), or say --anyway.
"""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--upstream-port", type=int, default=9151, help="of the first upstream")
    parser.add_argument("--days", type=int, default=90, help="of history")
    parser.add_argument("--per-day", type=int, default=300, help="requests of a past weekday")
    parser.add_argument("--rate", type=float, default=0.5, help="live requests a second; 0: none")
    parser.add_argument("--anyway", action="store_true", help="also where there is real traffic")
    return parser.parse_args()


async def _demonstrate(given: argparse.Namespace) -> None:
    folder = Path(os.environ.get("FAIRLEAD_DATA_DIR") or f"{default_data_dir()}-demo")
    ports = [given.upstream_port + number for number in range(len(UPSTREAMS))]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    env = {"FAIRLEAD_DATA_DIR": str(folder), "FAIRLEAD_ALLOW_PRIVATE_HOSTS": hosts}
    base_url = f"http://127.0.0.1:{given.port}"
    os.environ |= env
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)  # type: ignore[union-attr]
    async with AsyncExitStack() as stack:
        for upstream, port in zip(UPSTREAMS, ports, strict=True):
            names = {each.name: each.behaves for each in upstream.models} | NEWS
            served = FakeProvider(port=port, models=list(names))
            served.stands_for = names
            try:
                await stack.enter_async_context(served)
            except OSError:
                sys.exit(f"Port {port} is taken: is a demonstration running? See --upstream-port.")
        foundation = await stack.enter_async_context(laid(Settings()))
        await foundation.prepare()
        async with foundation.database.read(None) as session:
            made = await is_demo(session)
            if not made and not given.anyway and await has_usage(session):
                sys.exit(_REAL)
        await stack.enter_async_context(_serving(given.port, base_url))
        people = await _prepare(foundation, base_url, ports, given, made)
        key = await create_administrator_key(foundation, "demonstration")
        _say(f"\n{base_url} shows the demonstration. Sign in with\n\n  {key.reveal()}\n")
        if given.rate > 0:
            await Traffic(base_url, people, Profile.load(), given.rate).run()
        await asyncio.Event().wait()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@asynccontextmanager
async def _serving(port: int, base_url: str) -> AsyncIterator[None]:
    """The product as anybody starts it, in a process of its own."""
    command = (sys.executable, "-m", "fairlead", "serve", "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | {"LOG_LEVEL": "error"}
    )
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            while process.returncode is None:
                with suppress(httpx2.HTTPError):
                    if (await client.get(f"{base_url}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
            else:
                sys.exit(f"The server ended with {process.returncode}.")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _prepare(
    foundation: Foundation,
    base_url: str,
    ports: list[int],
    given: argparse.Namespace,
    made: bool,
) -> list[tuple[Asker, Secret]]:
    """Everything before live traffic; people get new keys on each start, for keys are not kept."""
    database = foundation.database
    if made:
        async with database.write(None) as session:
            return await invite(session, foundation.cipher)
    key = await create_administrator_key(foundation, "demonstration set-up")
    installation = Installation(base_url, key)
    _say("Configuring providers, models and rules …")
    await configure(installation, ports)
    async with database.write(None) as session:
        await date_back(session, given.days)
        people = await invite(session, foundation.cipher)
    await top_up(installation, [asker for asker, _ in people])
    await installation.close()
    await _own_keys(base_url, people)
    _say(f"Settling {given.days} days of usage …")
    await _settle(database, [asker for asker, _ in people], given)
    return people


async def _own_keys(base_url: str, people: list[tuple[Asker, Secret]]) -> None:
    for person, (_, key) in zip(PEOPLE, people, strict=True):
        if person.owns_key_at is None:
            continue
        own = Installation(base_url, key)
        await own.save_own_key(person.owns_key_at)
        await own.close()


async def _settle(database: Database, askers: list[Asker], given: argparse.Namespace) -> None:
    observatory = Observatory(time.time, 7)
    configuration = RunningConfiguration(database, observatory)
    await configuration.start()
    snapshot = configuration.snapshot
    await configuration.stop()
    named = {each.name: each for upstream in UPSTREAMS for each in upstream.models}
    shown = {id: named[d.name] for id, d in snapshot.deployments.items() if d.name in named}
    speeds = {id: Speed(each.first_token, each.speed) for id, each in shown.items()}
    for id, speed in speeds.items():
        for _ in range(_WARM):
            observatory.succeeded(
                snapshot.deployments[id],
                first_token=speed.first_token,
                duration=speed.first_token + 100 / speed.tokens,
                usage=TokenUsage(input=500, output=100),
            )
    live: Live = observatory.view(time.time())
    past = Past(snapshot, live, askers, speeds, Profile.load(), random.Random(7))
    settler = Settler(Settlements(database), Path(os.environ["FAIRLEAD_DATA_DIR"]) / "refused")
    records: list[Record] = []
    for outcome in past.requests(given.days, given.per_day):
        records.append(Record(0, Kind.OUTCOME, encode_outcome(outcome)))
        if len(records) == _BATCH:
            await _flush(settler, records)
    await _flush(settler, records)


async def _flush(settler: Settler, records: list[Record]) -> None:
    await settler.settle(records)
    records.clear()


if __name__ == "__main__":
    with suppress(asyncio.CancelledError):
        uvloop.run(_demonstrate(_arguments()))
