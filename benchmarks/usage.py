"""Usage at size: a dashboard's questions in the database and over GraphQL, and settlement.

    python -m benchmarks.usage [--rows 10000000] [--database URL | --keep FOLDER] [--raw] [--cpu]

`--database` names a server's database that is empty, or that an earlier run filled; `--keep` a
folder whose embedded one is made by the first run and found again by the next ones. With neither
one is made and removed. `--raw` asks the raw rows the same questions beside; `--cpu` tells the
milliseconds that the database worked in place of those that passed, for a machine that is busy.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

from sqlalchemy import text

from benchmarks import process
from benchmarks.dashboard import DASHBOARD, asked_over_graphql
from benchmarks.usage_seed import Size, key, row, seed
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.queries import usage_raw, usage_totals
from db.queries.settlement import Settlements
from db.queries.usage import Reach, UsageQuery
from db.queries.usage_figures import NO_ID, Wanted
from db.queries.week_costs import fold
from db.session import AsyncSession, Database, create_engine
from gateway.adoption import BATCH_ROWS

SERVER = {"shared_buffers": "1GB", "max_wal_size": "8GB", "work_mem": "64MB"}
PLAIN, PERCENTILES, PEOPLE = Wanted(False, False), Wanted(True, False), Wanted(False, True)
BATCHES, TIMES = 6, 9
SPANS = (7, 30, 90)
AHEAD = (timedelta(hours=5.5), timedelta(hours=-5))
"""Of UTC, in Kolkata and in New York."""
MODEL, ORGANIZATION, PERSON = key(10, 4), key(100, 1), key(1_000, 2)
"""Neither the busiest nor the quietest."""
Ask = Callable[[AsyncSession, UsageQuery], Awaitable[Any]]


def questions(by: Any) -> dict[str, Ask]:
    """What a dashboard asks, of the roll-ups or of the raw rows."""
    return {
        "totals": lambda s, q: by.totals(s, q, PLAIN),
        "p50/p95/p99": lambda s, q: by.totals(s, q, PERCENTILES),
        "unique people": lambda s, q: by.totals(s, q, PEOPLE),
        "by provider": lambda s, q: by.breakdown(s, q, "PROVIDER", 10, PLAIN),
        "by provider, percentiles": lambda s, q: by.breakdown(s, q, "PROVIDER", 10, PERCENTILES),
        "top 20 models": lambda s, q: by.breakdown(s, q, "MODEL", 20, PLAIN),
        "top 20 models, percentiles": lambda s, q: by.breakdown(
            s, q, "MODEL", 20, PERCENTILES, PLAIN
        ),
        "… of all others together too": lambda s, q: by.breakdown(s, q, "MODEL", 20, PERCENTILES),
        "top 20 people": lambda s, q: by.breakdown(s, q, "USER", 20, PLAIN),
        "top 20 keys": lambda s, q: by.breakdown(s, q, "API_KEY", 20, PLAIN),
        "top 20 organisations": lambda s, q: by.breakdown(s, q, "ORGANIZATION", 20, PLAIN),
        "error classes": lambda s, q: by.breakdown(s, q, "ERROR_CLASS", 10, PLAIN),
        "series by day": lambda s, q: by.series(s, q, days_of(q), PLAIN),
        "series by day, percentiles": lambda s, q: by.series(s, q, days_of(q), PERCENTILES),
        "people by day": lambda s, q: by.series(s, q, days_of(q), PEOPLE),
        "a model by day": lambda s, q: by.series(s, replace(q, model=MODEL), days_of(q), PLAIN),
        "an organisation by day": lambda s, q: by.series(
            s, replace(q, organization=ORGANIZATION), days_of(q), PLAIN
        ),
        "an organisation's providers": lambda s, q: by.breakdown(
            s, replace(q, organization=ORGANIZATION), "PROVIDER", 10, PERCENTILES
        ),
        "an organisation's models": lambda s, q: by.breakdown(
            s, replace(q, organization=ORGANIZATION), "MODEL", 20, PLAIN
        ),
        "a person's providers": lambda s, q: by.breakdown(
            s, replace(q, user=PERSON), "PROVIDER", 10, PLAIN
        ),
    }


def days_of(query: UsageQuery) -> list[datetime]:
    since = cast(datetime, query.since)
    return [since + timedelta(days=n) for n in range((datetime.now(UTC) - since).days + 1)]


def span(days: int, ahead: timedelta) -> UsageQuery:
    """So many calendar days, of a zone that is `ahead` of UTC."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=days - 1) - ahead
    return UsageQuery(Reach(True, NO_ID, None), since)


class Stopwatch:
    """A session that adds up the milliseconds from sending a statement to having its rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.spent = 0.0

    async def execute(self, *asked: Any) -> Any:
        started = time.perf_counter()
        found = await self._session.execute(*asked)
        self.spent += (time.perf_counter() - started) * 1_000
        return found

    async def scalar(self, *asked: Any) -> Any:
        return (await self.execute(*asked)).scalar()


class Medians:
    """Milliseconds that questions take; with `cpu` those that the database worked for them."""

    def __init__(self, database: Database, *, cpu: bool) -> None:
        self._database = database
        self._cpu = cpu

    async def of(self, ask: Ask, query: UsageQuery, times: int) -> float:
        found = []
        for _ in range(times):
            async with self._database.read(None) as session:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                watch, worked = Stopwatch(session), process.usage(pid)[0]
                await ask(cast(AsyncSession, watch), query)
                worked = (process.usage(pid)[0] - worked) * 1_000
                found.append(worked if self._cpu else watch.spent)
        return statistics.median(found)


async def ask_all(database: Database, *, raw: bool, cpu: bool) -> None:
    what = "of the database's CPU" if cpu else "in the database"
    print(f"\nMilliseconds {what}, median of {TIMES}:\n")
    print(
        f"{'':30}{'7 days':>9}{'30 days':>9}{'90 days':>9}{'+5:30':>9}{'-5:00':>9}{'raw, 90':>12}"
    )
    medians, peers = Medians(database, cpu=cpu), questions(usage_raw)
    for name, ask in questions(usage_totals).items():
        line = ""
        for days in SPANS:
            line += f"{await medians.of(ask, span(days, timedelta()), TIMES):9.1f}"
        for ahead in AHEAD:
            line += f"{await medians.of(ask, span(SPANS[-1], ahead), TIMES):9.1f}"
        if raw:
            line += f"{await medians.of(peers[name], span(90, timedelta()), 1):12.0f}"
        print(f"{name:30}{line}", flush=True)


async def settle_many(database: Database) -> None:
    """Rows with decisions, all roll-ups in the same transactions, on one connection."""
    random, settlements = Random(1), Settlements(database)
    batches = [[row(random) for _ in range(BATCH_ROWS)] for _ in range(BATCHES)]
    took = []
    theirs, ours = await database_cpu(database), time.process_time()
    for batch in batches:
        started = time.perf_counter()
        await settlements.settle(batch)
        took.append(time.perf_counter() - started)
    rows = BATCH_ROWS * BATCHES
    ours = (time.process_time() - ours) / rows * 1e6
    theirs = (await database_cpu(database) - theirs) / rows * 1e6
    rate, best = BATCH_ROWS / statistics.median(took), BATCH_ROWS / min(took)
    print(
        f"\nSettlement on one connection: {rate:,.0f} rows/s (median of {BATCHES} batches of"
        f" {BATCH_ROWS:,}; best {best:,.0f}); CPU a row: ours {ours:.1f} µs,"
        f" PostgreSQL's {theirs:.1f} µs"
    )


async def database_cpu(database: Database) -> float:
    """Seconds that the connections of this database have worked, when its server is on this
    machine."""
    async with database.read(None) as session:
        found = await session.scalars(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        )
        return sum(process.usage(pid)[0] for pid in found)


def place_options() -> argparse.ArgumentParser:
    """Where the rows are: `database_at` reads them."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--database", help="the URL of a database, empty or filled earlier")
    options.add_argument("--keep", type=Path, help="a folder for a database to be found again")
    return options


@asynccontextmanager
async def database_at(asked: argparse.Namespace) -> AsyncIterator[str]:
    if asked.database is not None:
        yield asked.database
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="fairlead-bench-") as name:
        os.chmod(name, 0o755)
        server = EmbeddedPostgres((asked.keep or Path(name)) / "server", settings=SERVER)
        try:
            yield await server.start()
        finally:
            await server.stop()


async def main(asked: argparse.Namespace) -> None:
    async with database_at(asked) as url:
        engine = create_engine(url, statement_timeout_ms=600_000)
        database = Database(engine)
        await migrate(engine)
        async with database.read(None) as session:
            filled = await session.scalar(text("SELECT EXISTS (SELECT FROM settlement_batches)"))
        if not filled:
            print(f"Seeding {asked.rows:,} rows over 90 days", flush=True)
            await seed(database, Size(rows=asked.rows), print)
        while await fold(database):
            pass
        await settle_many(database)
        while await fold(database):
            pass
        await ask_all(database, raw=asked.raw, cpu=asked.cpu)
        times, cpu, size = await asked_over_graphql(url, DASHBOARD)
        middle = statistics.median(times)
        print(
            f"\nThe whole dashboard over GraphQL, 90 days: {middle:.0f} ms (median of"
            f" {len(times)}, best {min(times):.0f}), {cpu:.1f} ms of the server's CPU,"
            f" {size:,} bytes, one server process"
        )
        await engine.dispose()


if __name__ == "__main__":
    options = argparse.ArgumentParser(parents=[place_options()])
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--raw", action="store_true")
    options.add_argument("--cpu", action="store_true")
    asyncio.run(main(options.parse_args()))
