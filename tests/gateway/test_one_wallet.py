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


async def test_two_hundred_workers_of_four_processes_never_overdraw_one_wallet(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fund(database, WALLET, BALANCE)
    processes = [await start(tmp_path / str(n), database_url) for n in range(PROCESSES)]
    assert [await said(each) for each in processes] == ["ready"] * PROCESSES
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
    lines = [await said(each) for each in processes]
    assert [await each.wait() for each in processes] == [0] * PROCESSES

    paid = [int(line.removeprefix("paid ")) for line in lines]
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
