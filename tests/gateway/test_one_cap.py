"""Spend caps of a key, a person and an organisation, with three processes on each: never passed."""

import asyncio
import uuid
from pathlib import Path

import pytest

from db.session import Database
from domain.budget import BudgetKind, Period
from tests.db.money import one
from tests.gateway.purse_process import HELD
from tests.gateway.test_one_wallet import paid_by, said, start

SUBJECT = uuid.UUID(int=2027)
PROCESSES, WORKERS = 3, 30
CAP = 200 * HELD + 7
_MOST = "SELECT max(spent + held) FROM budgets"


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("kind", [BudgetKind.API_KEY, BudgetKind.USER, BudgetKind.ORGANIZATION])
async def test_ninety_workers_of_three_processes_never_pass_one_cap(
    database: Database, database_url: str, tmp_path: Path, kind: BudgetKind, period: Period
) -> None:
    account = f"{SUBJECT},{kind},{period},{CAP}"
    processes = [
        await start(tmp_path / str(n), database_url, account, WORKERS) for n in range(PROCESSES)
    ]
    assert [await said(each) for each in processes] == ["ready"] * PROCESSES
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
    watch = asyncio.create_task(_most(database))
    lines = [await said(each) for each in processes]
    assert [await each.wait() for each in processes] == [0] * PROCESSES
    watch.cancel()
    [most] = await asyncio.gather(watch, return_exceptions=True)

    paid = paid_by(lines)
    spent = await one(database, "SELECT spent FROM budgets")
    # At every moment what is spent and what is held are within the cap together; at the end less
    # is left than the next request would hold, and each digit of what was paid is on the account.
    assert not isinstance(most, int) or most <= CAP
    assert spent == sum(paid)
    assert CAP - HELD < spent <= CAP
    assert await one(database, "SELECT held FROM budgets") == 0
    assert all(paid)


async def _most(database: Database) -> int:
    """Looks until it has seen too much."""
    while True:
        found = await one(database, _MOST)
        if found is not None and found > CAP:
            return int(found)
        await asyncio.sleep(0.02)
