"""A process whose workers spend one account as requests do, until nothing is left for a hold."""

import asyncio
import random
import sys
import time
import uuid
from pathlib import Path
from typing import NamedTuple

from uuid_utils.compat import uuid7

from db.queries.hold import HoldRequest
from db.session import Database, create_engine
from domain.budget import Budget, BudgetKind, Period, budget
from domain.errors import InsufficientCredits
from domain.usage import Charge
from gateway.holds import Holds
from gateway.spool import Spool
from gateway.writer import Writer
from tests.usage import intent, outcome

HELD = 1_000_003
REFUSALS = 80
"""In a row, after which nothing is held by others that may come back: four seconds."""


class Account(NamedTuple):
    """A wallet, or the cap of a period, that pays."""

    wallet_id: uuid.UUID | None
    budgets: tuple[Budget, ...] = ()

    @classmethod
    def of(cls, said: str) -> "Account":
        """A wallet's id, or `subject,kind,period,limit` of a cap, in nano-USD."""
        subject, *cap = said.split(",")
        if not cap:
            return cls(uuid.UUID(subject))
        kind, period, limit = cap
        made = budget(BudgetKind(kind), uuid.UUID(subject), Period(period), int(limit), time.time())
        return cls(None, (made,))

    def asks(self, id: uuid.UUID) -> HoldRequest:
        held = tuple((each.id, each.limit) for each in self.budgets)
        return HoldRequest(id, self.wallet_id, HELD, HELD, held)

    def charge(self, spend: int, lease: uuid.UUID | None) -> Charge:
        budgets = tuple(each.id for each in self.budgets)
        return Charge(spend, self.wallet_id, budgets, lease, 0 if lease is None else HELD)


class Paid(NamedTuple):
    """What was paid, and how many requests were granted from a lease."""

    amount: int = 0
    leased: int = 0

    def __add__(self, other: "Paid") -> "Paid":  # type: ignore[override]
        return Paid(self.amount + other.amount, self.leased + other.leased)


async def pay(holds: Holds, spool: Spool, account: Account, chance: random.Random) -> Paid:
    """Hold, then pay less, all or nothing of it.

    Raises:
        InsufficientCredits: not enough is left for the hold.
    """
    id, lease = uuid7(), None
    if account.wallet_id is not None:
        lease = holds.leased(account.wallet_id, HELD)
    if lease is None:
        await holds.take(account.asks(id), account.budgets)
    spool.intent(intent(id))
    await asyncio.sleep(chance.random() / 100)
    spend = chance.choice((0, chance.randrange(HELD), HELD))
    spool.outcome(outcome(id, cost=spend, charge=account.charge(spend, lease)))
    return Paid(spend, lease is not None)


async def work(holds: Holds, spool: Spool, account: Account, chance: random.Random) -> Paid:
    """Pay until nothing is left; what was paid altogether."""
    paid, refusals = Paid(), 0
    while refusals < REFUSALS:
        try:
            paid += await pay(holds, spool, account, chance)
            refusals = 0
        except InsufficientCredits:
            refusals += 1
            await asyncio.sleep(0.05)
    return paid


async def main(root: Path, database_url: str, account: Account, workers: int) -> None:
    """Prints `paid`, what all workers paid, and how often from a lease."""
    database, spool = Database(create_engine(database_url, pool_size=4)), Spool(root)
    holds, writer = Holds(database, uuid7()), Writer(database, spool)
    for part in (spool, writer, holds):
        await part.start()
    # Each takes part however late it is let run, because it has paid before any of them may race.
    paid = Paid()
    while not paid.amount:
        paid = await pay(holds, spool, account, random.Random())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    found = [work(holds, spool, account, random.Random(n)) for n in range(workers)]
    paid = sum(await asyncio.gather(*found), paid)
    await writer.stop()
    await holds.stop()
    await spool.close()
    sys.stdout.write(f"paid {paid.amount} {paid.leased}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    root, url, account, workers = sys.argv[1:]
    asyncio.run(main(Path(root), url, Account.of(account), int(workers)))
