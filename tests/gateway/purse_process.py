"""A process whose workers spend one wallet as requests do, until nothing is left for a hold."""

import asyncio
import random
import sys
import uuid
from pathlib import Path

from uuid_utils.compat import uuid7

from db.queries.hold import HoldRequest
from db.session import Database, create_engine
from domain.errors import InsufficientCredits
from domain.usage import Charge
from gateway.holds import Holds
from gateway.spool import Spool
from gateway.writer import Writer
from tests.usage import intent, outcome

HELD = 1_000_003
REFUSALS = 40
"""In a row, after which nothing is held by others that may come back: two seconds."""


async def work(holds: Holds, spool: Spool, wallet_id: uuid.UUID, chance: random.Random) -> int:
    """Hold, then pay less, all or nothing of it; what was paid altogether."""
    paid = refusals = 0
    while refusals < REFUSALS:
        id = uuid7()
        try:
            await holds.take(HoldRequest(id, wallet_id, HELD, HELD), ())
        except InsufficientCredits:
            refusals += 1
            await asyncio.sleep(0.05)
            continue
        refusals = 0
        spool.intent(intent(id))
        await asyncio.sleep(chance.random() / 100)
        spend = chance.choice((0, chance.randrange(HELD), HELD))
        spool.outcome(outcome(id, cost=spend, charge=Charge(spend, wallet_id)))
        paid += spend
    return paid


async def main(root: Path, database_url: str, wallet_id: uuid.UUID, workers: int) -> None:
    """Prints `paid` and what all workers paid."""
    database, spool = Database(create_engine(database_url, pool_size=4)), Spool(root)
    holds, writer = Holds(database, uuid7()), Writer(database, spool)
    for part in (spool, writer, holds):
        await part.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    found = [work(holds, spool, wallet_id, random.Random(n)) for n in range(workers)]
    paid = sum(await asyncio.gather(*found))
    await writer.stop()
    await holds.stop()
    await spool.close()
    sys.stdout.write(f"paid {paid}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    root, url, wallet_id, workers = sys.argv[1:]
    asyncio.run(main(Path(root), url, uuid.UUID(wallet_id), int(workers)))
