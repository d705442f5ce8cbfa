"""The usage writer as a serving process runs it: a backlog in the spool, drained into the database.

    python -m benchmarks.writer [--rows 200000] [--seed 0] [--database URL | --keep FOLDER]

It fills a spool as that many finished requests leave it, with their decisions, then starts the
writer: spool, decoding, batches that grow with what waits, roll-ups, one connection. `--seed` is
how many requests over 90 days are there before, where the database is empty.
"""

import argparse
import asyncio
import gc
import json
import random
import tempfile
import time
from pathlib import Path
from random import Random

from sqlalchemy import text
from uuid_utils.compat import uuid7

from benchmarks.usage import database_at, database_cpu, place_options
from benchmarks.usage_seed import DECISION, ORGANIZATIONS, PROVIDERS, Size, key, seed
from db.migrate import migrate
from db.session import Database, create_engine
from domain.usage import Attempt, Intent, Outcome, TokenUsage, UsageSource, UsageStatus
from gateway.spool import Spool
from gateway.writer import Writer

_DECISION = json.loads(DECISION)
_SAME = (
    "id",
    "started_at",
    "user_id",
    "requested_model",
    "streamed",
    "organization_id",
    "api_key_id",
)
"""What an outcome says as its intent did."""


def request(random: Random) -> tuple[Intent, Outcome]:
    """What a request leaves in the spool: by somebody and something of the seed."""
    size = Size()
    model, person = int(size.models * random.random() ** 4), int(size.users * random.random() ** 3)
    intent = Intent(
        id=uuid7(),
        started_at=time.time(),
        user_id=key(person, 2),
        requested_model="auto",
        streamed=True,
        organization_id=key(person % ORGANIZATIONS, 1),
        api_key_id=key(person, 5),
    )
    return intent, _outcome(intent, _attempt(random, model), model)


def _attempt(random: Random, model: int) -> Attempt:
    tokens, latency = random.randrange(100, 8_000), int(random.lognormvariate(6, 0.7))
    return Attempt(
        deployment_id=key(model, 4),
        provider=f"provider-{model % PROVIDERS}",
        model=f"model-{model}",
        started_ms=1,
        latency_ms=latency,
        outcome="OK",
        credential_id=key(model, 7),
        key_owner="SYSTEM",
        http_status=200,
        first_token_ms=latency // 4,
        usage=TokenUsage(tokens, tokens // 4, 0, tokens // 3),
        cost=tokens * 2_500,
    )


def _outcome(intent: Intent, attempt: Attempt, model: int) -> Outcome:
    """Of a request that its only attempt answered."""
    return Outcome(
        **{name: getattr(intent, name) for name in _SAME},
        status=UsageStatus.OK,
        usage_source=UsageSource.PROVIDER,
        latency_ms=attempt.latency_ms,
        provider_id=key(model % PROVIDERS, 3),
        provider_slug=attempt.provider,
        model_id=attempt.deployment_id,
        model_name=attempt.model,
        price_id=key(model, 6),
        key_owner=attempt.key_owner,
        usage=attempt.usage or TokenUsage(),
        cost=attempt.cost,
        first_token_ms=attempt.first_token_ms,
        decision=_DECISION,
        attempts=(attempt,),
    )


def fill(spool: Spool, rows: int) -> None:
    made = Random(random.random())
    for _ in range(rows):
        intent, outcome = request(made)
        spool.intent(intent)
        spool.outcome(outcome)


def megabytes(name: str) -> float:
    """Of /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise LookupError(name)


def forget_peak() -> None:
    """The greatest size that was resident is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")


async def settled(database: Database) -> int:
    """Requests in the database."""
    async with database.read(None) as session:
        return int(await session.scalar(text("SELECT sum(rows) FROM settlement_batches")) or 0)


async def drain(database: Database, rows: int, folder: Path) -> None:
    batches: asyncio.Queue[int] = asyncio.Queue()
    spool = Spool(folder)
    fill(spool, rows)
    writer = Writer(database, spool, settled=batches.put_nowait)
    wanted, count = await settled(database) + rows, 0
    before = megabytes("VmRSS:")
    # As `fairlead serve` has it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    forget_peak()
    theirs, ours, started = await database_cpu(database), time.process_time(), time.perf_counter()
    await writer.start()
    while await settled(database) < wanted:
        await batches.get()
        count += 1
    took = time.perf_counter() - started
    ours = (time.process_time() - ours) / rows * 1e6
    theirs = (await database_cpu(database) - theirs) / rows * 1e6
    await writer.stop()
    await spool.close()
    print(
        f"The writer drained {rows:,} requests at {rows / took:,.0f} a second, in {count}"
        f" batches; CPU a request: ours {ours:.1f} µs, PostgreSQL's {theirs:.1f} µs;"
        f" resident {before:.0f} MB before, {megabytes('VmHWM:'):.0f} at most",
        flush=True,
    )


async def main(asked: argparse.Namespace) -> None:
    async with database_at(asked) as url:
        engine = create_engine(url, statement_timeout_ms=600_000)
        database = Database(engine)
        await migrate(engine)
        if asked.seed and not await settled(database):
            await seed(database, Size(rows=asked.seed), print)
        for _ in range(asked.times):
            with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="fairlead-spool-") as name:
                await drain(database, asked.rows, Path(name))
        await engine.dispose()


if __name__ == "__main__":
    options = argparse.ArgumentParser(parents=[place_options()])
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--times", type=int, default=1)
    asyncio.run(main(options.parse_args()))
