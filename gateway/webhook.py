"""Delivers the outbox to the receivers of webhooks, each at its own pace, through the guard."""

import asyncio
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from standardwebhooks import Webhook as Signer

from db.keyset import Row
from db.queries.delivery import claim, prune
from db.queries.webhook import signing_secrets
from db.session import Database, database_is_away
from domain.delivery import Attempt, settle_attempt
from domain.ports import Cipher
from domain.webhook import opened
from gateway.egress.client import HttpClient, Outbound
from gateway.egress.errors import EgressError

AT_ONCE = 8
"""Deliveries under way to one receiver from one process; one to a receiver that fails."""

_WITHIN = 15.0
_CONNECT = 5.0
_GRACE = 5.0
_LEASE = timedelta(seconds=60)
_KEPT = timedelta(days=30)
_PRUNE_SECONDS = 600.0
_PRUNED = 5_000
_LONGEST_ANSWER = 64 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0

log = structlog.get_logger(__name__)


class Deliverer:
    """Claims what is due, a handful for each receiver at a time, and sends it.

    A receiver that is slow or dead holds back only its own deliveries. Other processes pass over
    what is claimed here; if this one dies it becomes due again after the lease, so a receiver may
    hear of an event twice: by the same `webhook-id`. `within` bounds one
    attempt and `grace` the wait at the end, in seconds.
    """

    def __init__(
        self,
        database: Database,
        http: HttpClient,
        cipher: Cipher,
        *,
        poll_seconds: float = 1.0,
        within: float = _WITHIN,
        grace: float = _GRACE,
    ) -> None:
        self._database = database
        self._http = http
        self._cipher = cipher
        self._poll_seconds = poll_seconds
        self._within = within
        self._grace = grace
        self._woken = asyncio.Event()
        self._busy: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._running: asyncio.Task[None] | None = None
        self._pruned_at = time.monotonic()

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Wait a little for what is under way; what is given up is due again after the lease."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        tasks = list(self._busy.values())
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def _run(self) -> None:
        pause, away = _FIRST_PAUSE, False
        while True:
            self._woken.clear()
            try:
                await self._take()
                await self._prune()
                pause, away = _FIRST_PAUSE, False
            except Exception as error:
                if not away:
                    known = database_is_away(error)
                    log.warning("webhooks are interrupted", exc_info=None if known else error)
                away = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()

    async def _take(self) -> None:
        async with self._database.write(None) as session:
            claimed = await claim(session, self._busy, AT_ONCE, _LEASE)
        if not claimed:
            return
        batches: dict[uuid.UUID, list[Row]] = {}
        for row in claimed:
            batches.setdefault(row.webhook_id, []).append(row)
        async with self._database.read(None) as session:
            secrets = await signing_secrets(session, batches, datetime.now(UTC))
        for webhook_id, rows in batches.items():
            task = asyncio.create_task(self._deliver(rows, secrets.get(webhook_id, [])))
            self._busy[webhook_id] = task
            task.add_done_callback(partial(self._done, webhook_id))

    def _done(self, webhook_id: uuid.UUID, _: asyncio.Task[None]) -> None:
        del self._busy[webhook_id]
        self._woken.set()

    async def _deliver(self, rows: Sequence[Row], secrets: Sequence[Row]) -> None:
        await asyncio.gather(*(self._attempt(row, secrets) for row in rows))

    async def _attempt(self, row: Row, secrets: Sequence[Row]) -> None:
        try:
            attempt = await self._send(row, secrets)
            async with self._database.write(None) as session:
                await settle_attempt(session, row, attempt, random.random())
        except Exception as error:
            # It becomes due again when the lease ends.
            known = database_is_away(error)
            log.warning("a delivery is not settled", exc_info=None if known else error)

    async def _send(self, row: Row, secrets: Sequence[Row]) -> Attempt:
        at, began = datetime.now(UTC), time.monotonic()
        status: int | None = None
        wait: float | None = None
        try:
            headers = self._headers(row, secrets, at)
            request = Outbound("POST", row.url, headers, row.body.encode(), _CONNECT)
            async with asyncio.timeout(self._within):
                inbound = await self._http.send(request)
                status, wait = inbound.status, _wait(inbound.headers)
                # To its end, so that the connection can be used again; nobody looks at it.
                await inbound.read(_LONGEST_ANSWER)
            error = None
        except TimeoutError:
            error = f"No answer within {self._within:g} seconds."
        except EgressError as failure:
            error = str(failure)
        except ValueError:
            error = "The signing secret cannot be opened: rotate it."
        if status is not None:
            error = None if 200 <= status < 300 else f"It answered with status {status}."
        took = round((time.monotonic() - began) * 1000)
        return Attempt(at, took, status, error, wait)

    def _headers(self, row: Row, secrets: Sequence[Row], at: datetime) -> list[tuple[str, str]]:
        id = f"evt_{row.event_id.hex}"
        signatures = [
            Signer(opened(self._cipher, secret).reveal()).sign(id, at, row.body)
            for secret in secrets
        ]
        if not signatures:
            raise ValueError("There is no signing secret.")
        return [
            ("content-type", "application/json"),
            ("user-agent", "fairlead-webhooks"),
            ("webhook-id", id),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", " ".join(signatures)),
        ]

    async def _prune(self) -> None:
        if time.monotonic() - self._pruned_at < _PRUNE_SECONDS:
            return
        self._pruned_at = time.monotonic()
        async with self._database.write(None) as session:
            await prune(session, _KEPT, _PRUNED)


def _wait(headers: Mapping[str, Any]) -> float | None:
    """`Retry-After` in seconds; dates are not read."""
    text = str(headers.get("retry-after", ""))
    return float(text) if text.isascii() and text.isdigit() else None
