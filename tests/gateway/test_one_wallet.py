"""Two hundred workers of several processes on one wallet: no overdraft, and the sum is exact."""

import asyncio
import os
import sys
import uuid
from pathlib import Path

from db.session import Database
from tests.db.money import check, fund, one, wallet
from tests.gateway.purse_process import HELD

WALLET = uuid.UUID(int=2026)
PROCESSES, WORKERS = 4, 50
BALANCE = 400 * HELD + 7
RICH = 10 * BALANCE
"""Enough that most of it is spent from leases."""


async def start(
    root: Path, database_url: str, account: str = str(WALLET), workers: int = WORKERS
) -> asyncio.subprocess.Process:
    command = ("-m", "tests.gateway.purse_process", str(root), database_url, account)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *command, str(workers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ,
    )


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(120):
        return (await process.stdout.readline()).decode().strip()


def paid_by(lines: list[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines]


async def spent_by(
    processes: int, database_url: str, root: Path, workers: int = WORKERS
) -> list[str]:
    """What each said after all of them spent the wallet together."""
    found = [await start(root / str(n), database_url, workers=workers) for n in range(processes)]
    assert [await said(each) for each in found] == ["ready"] * processes
    for each in found:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
    lines = [await said(each) for each in found]
    assert [await each.wait() for each in found] == [0] * processes
    return lines


async def test_three_processes_spend_a_rich_wallet_from_leases_to_its_end(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fund(database, WALLET, RICH)

    lines = await spent_by(3, database_url, tmp_path)

    paid = sum(paid_by(lines))
    posted, held, frozen = await wallet(database, WALLET)
    assert (posted, held, frozen) == (RICH - paid, 0, False)
    assert 0 <= posted < HELD
    assert all(int(line.split()[2]) > 100 for line in lines)
    assert await one(database, "SELECT sum(credits_charged) FROM llm_usage_logs") == paid
    assert await one(database, "SELECT count(*) FROM holds") == 0
    await check(database)


async def test_two_hundred_workers_of_four_processes_never_overdraw_one_wallet(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fund(database, WALLET, BALANCE)

    paid = paid_by(await spent_by(PROCESSES, database_url, tmp_path))

    posted, held, frozen = await wallet(database, WALLET)
    assert (posted, held, frozen) == (BALANCE - sum(paid), 0, False)
    assert 0 <= posted < HELD
    assert all(paid)
    assert await one(database, "SELECT sum(credits_charged) FROM llm_usage_logs") == sum(paid)
    assert (
        await one(
            database,
            "SELECT min(balance) FROM entries WHERE balance < 0 AND wallet_id"
            " <> '00000000-0000-0000-0000-000000000001'",
        )
        is None
    )
    await check(database)
