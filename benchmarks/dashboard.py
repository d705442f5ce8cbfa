"""A dashboard's whole query, asked of a real server."""

import asyncio
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import httpx2

from benchmarks import process

DASHBOARD = """
{
  usage(period: DAYS_90) {
    totals {
      requests errors errorRate inputTokens outputTokens cachedShare cost shadowCost averageCost
      latencyP50Ms latencyP95Ms latencyP99Ms firstTokenP50Ms firstTokenP95Ms uniqueUsers
    }
    previous { totals { requests errors cost } }
    series(interval: DAY) { start requests errors cost inputTokens outputTokens }
    providers: breakdown(by: PROVIDER, top: 10) {
      groups { name requests errorRate cost latencyP50Ms latencyP95Ms provider { name } }
    }
    models: breakdown(by: MODEL, top: 20) {
      groups { name requests cost model { reference } } other { requests cost }
    }
    people: breakdown(by: USER, top: 10) { groups { requests cost user { name } } }
    errors: breakdown(by: ERROR_CLASS) { groups { name requests } }
  }
}
"""
_KEY = re.compile(r"fl_\w{61,}")
TIMES = 15
_APART = 1.0
"""Seconds: the limit of what one caller may ask."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def served(url: str) -> AsyncIterator[tuple[str, str, int]]:
    """Address, a key of an administrator and the process id of a server on that database."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        master = {"ENCRYPTION_KEY": "A" * 43 + "="}
        env = os.environ | {"DATABASE_URL": url, "FAIRLEAD_DATA_DIR": folder} | master
        command = (sys.executable, "-m", "fairlead")
        made = await asyncio.create_subprocess_exec(
            *command, "keys", "create", "--admin", env=env, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await made.communicate()
        found = _KEY.search(output.decode())
        port = free_port()
        with _open(folder) as log:
            server = await asyncio.create_subprocess_exec(
                *command, "serve", "--port", str(port), env=env, stdout=log, stderr=log
            )
        try:
            address = f"http://127.0.0.1:{port}"
            await _until_ready(address)
            if found is None:
                raise RuntimeError(output.decode())
            yield address, found[0], server.pid
        finally:
            server.terminate()
            await server.wait()


def _open(folder: str) -> BinaryIO:
    return (Path(folder) / "log").open("wb")


async def _until_ready(address: str) -> None:
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        for _ in range(300):
            with suppress(httpx2.HTTPError):
                if (await client.get(f"{address}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.2)
    raise RuntimeError("the server does not become ready")


async def asked_over_graphql(url: str, query: str) -> tuple[list[float], float, int]:
    """Milliseconds of each answer, the server's CPU an answer, and its size."""
    async with served(url) as (address, key, pid), httpx2.AsyncClient(trust_env=False) as client:
        headers = {"authorization": f"Bearer {key}"}
        times, cpu = [], 0.0
        for _ in range(TIMES):
            await asyncio.sleep(_APART)
            before = process.usage(pid)[0]
            started = time.perf_counter()
            answer = await client.post(
                f"{address}/graphql", json={"query": query}, headers=headers, timeout=60
            )
            times.append((time.perf_counter() - started) * 1_000)
            cpu += process.usage(pid)[0] - before
            if "errors" in answer.json():
                raise RuntimeError(answer.text[:2_000])
        return times, cpu / TIMES * 1_000, len(answer.content)
