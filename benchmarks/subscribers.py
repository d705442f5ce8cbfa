"""A thousand dashboards that watch: how long after it is ready to settle each hears of a request.

python -m benchmarks.subscribers [--clients 1000] [--rate 50] [--seconds 20]
"""

import argparse
import asyncio
import base64
import json
import os
import re
import statistics
import struct
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import uvloop
from uuid_utils.compat import uuid7

from benchmarks.dashboard import served
from benchmarks.usage import database_at, place_options
from db.migrate import migrate
from db.queries.settlement import Settlements
from db.session import Database, create_engine
from tests.usage import usage_row

QUERY = """subscription { usageEvents { ... on UsageEvent { cursor record {
  id requestedModel modelName status cost latencyMs } } ... on UsageGap { reason } } }"""
_EVENT = re.compile(rb'"requestedModel":"([\d.]+)"|"reason":')
_BATCHES = 4
"""A second: how often the writer settles under load."""
_WARM = 2.0


class Watcher(asyncio.Protocol):
    """One client: reads frames as they come, and keeps how old each event was."""

    def __init__(self, host: str, key: str) -> None:
        self._host, self._key = host, key
        self._unread = b""
        self._watches = False
        self.ages: list[float] = []
        self.gaps = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        nonce = base64.b64encode(os.urandom(16)).decode()
        transport.write(  # type: ignore[attr-defined]
            f"GET /graphql HTTP/1.1\r\nhost: {self._host}\r\nupgrade: websocket\r\n"
            f"connection: Upgrade\r\nsec-websocket-key: {nonce}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def say(self, message: dict[str, object]) -> None:
        """A masked text frame; the mask is zero."""
        data = json.dumps(message).encode()
        size = bytes([0x80 | len(data)])
        if len(data) > 125:
            size = bytes([0x80 | 126]) + struct.pack(">H", len(data))
        self._transport.write(b"\x81" + size + bytes(4) + data)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """What it costs to watch is not to be measured: events are found without taking frames
        apart."""
        text = self._unread + data
        if not self._watches:
            return self._begin(text)
        now, end = time.time(), 0
        for found in _EVENT.finditer(text):
            end = found.end()
            if found[1]:
                self.ages.append(now - float(found[1]))
            else:
                self.gaps += 1
        self._unread = text[end:]

    def _begin(self, text: bytes) -> None:
        """The handshake, then the acknowledgement."""
        self._unread = text
        if not text.endswith(b"\r\n\r\n") and b"connection_ack" not in text:
            return
        if text.endswith(b"\r\n\r\n"):
            return self.say({"type": "connection_init", "payload": {"authorization": self._key}})
        self._watches, self._unread = True, b""
        self.say({"type": "subscribe", "id": "1", "payload": {"query": QUERY}})
        self.ready.set_result(None)


async def settle(database: Database, rate: int, seconds: float) -> int:
    """Settle at that rate, in batches as the writer makes them; returns how many."""
    settlements, total = Settlements(database), 0
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        now, at = time.time(), datetime.now(UTC)
        size = rate // _BATCHES
        rows = [
            usage_row(id=uuid7(), started_at=at, requested_model=f"{now:.6f}") for _ in range(size)
        ]
        await settlements.settle(rows)
        total += size
        await asyncio.sleep(max(0.0, begin + total / rate - time.monotonic()))
    return total


async def main(asked: argparse.Namespace) -> None:
    async with database_at(asked) as url:
        engine = create_engine(url)
        await migrate(engine)
        database = Database(engine)
        async with served(url) as (address, key, pid):
            place = urlsplit(address)
            loop, watchers = asyncio.get_running_loop(), []
            for _ in range(asked.clients):
                _, watcher = await loop.create_connection(
                    lambda: Watcher(place.netloc, f"Bearer {key}"), place.hostname, place.port
                )
                await watcher.ready
                watchers.append(watcher)
            await settle(database, asked.rate, _WARM)
            await asyncio.sleep(1)
            for each in watchers:
                each.ages.clear()
            before = cpu_of(pid)
            total = await settle(database, asked.rate, asked.seconds)
            await asyncio.sleep(2)
            _report(asked, watchers, total, cpu_of(pid) - before)
        await engine.dispose()


def cpu_of(pid: int) -> float:
    """Seconds a process has worked."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report(asked: argparse.Namespace, watchers: list[Watcher], total: int, cpu: float) -> None:
    ages = sorted(age for each in watchers for age in each.ages)
    wanted = total * len(watchers)
    gaps = sum(each.gaps for each in watchers)
    p50, p99 = statistics.median(ages), ages[int(len(ages) * 0.99)]
    print(f"{len(watchers):,} subscribers, {asked.rate} events/s, {asked.seconds:.0f} s")
    print(
        f"told {len(ages):,} of {wanted:,}; gaps {gaps}; {len(ages) / asked.seconds:,.0f} a second"
    )
    print(f"age when heard: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    print(f"server CPU: {cpu:.1f} s, {cpu / max(len(ages), 1) * 1e6:.1f} µs a message")


if __name__ == "__main__":
    options = argparse.ArgumentParser(parents=[place_options()])
    options.add_argument("--clients", type=int, default=1_000)
    options.add_argument("--rate", type=int, default=50)
    options.add_argument("--seconds", type=float, default=20)
    uvloop.run(main(options.parse_args()))
