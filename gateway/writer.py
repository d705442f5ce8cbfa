"""The batch writer: drains the spool into the database, and the spools of processes that died."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from db.queries.settlement import RowRefused, Settlements
from db.session import Database, database_is_away
from domain.threshold import tell_of_credits
from gateway.adoption import adopt, next_batch
from gateway.backlog import Backlog
from gateway.records import Kind, Record
from gateway.segments import Position
from gateway.settling import Settler
from gateway.spool import Spool

_SHORTEST_LINGER, _LONGEST_LINGER = 0.01, 0.25
_IDLE_SHARE = 10
"""The writer rests ten times as long as a batch took: a tenth of one core, while it keeps up."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0
_ADOPT_SECONDS = 10.0
_STOP_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Writer:
    """Settles every outcome of `spool`, within about a quarter of a second under load.

    `settled` is told the number of each committed batch. While the database is away the records
    stay in the spool, not in memory, and `interrupted` is set.
    """

    def __init__(
        self, database: Database, spool: Spool, *, settled: Callable[[int], None] = lambda _: None
    ) -> None:
        self._spool = spool
        self._settled = settled
        self._settlements = Settlements(database, tell_of_credits)
        self._settler = Settler(self._settlements, spool.root / "quarantine")
        self._stopping = asyncio.Event()
        self._suspect = Position(0, 0)
        """Up to there a row may be at fault."""
        self.interrupted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._drain_forever()),
            asyncio.create_task(self._adopt_forever()),
        ]

    async def stop(self) -> None:
        """Settle what is there, if the database answers within seconds; the rest stays spooled."""
        drain, adopt = self._tasks
        adopt.cancel()
        self._stopping.set()
        self._spool.written.set()
        await asyncio.wait([drain], timeout=_STOP_SECONDS)
        drain.cancel()
        await asyncio.gather(drain, adopt, return_exceptions=True)

    async def _drain_forever(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            stopping = self._stopping.is_set()
            self._spool.written.clear()
            started = time.monotonic()
            try:
                more = await self._drain_once()
                pause = _FIRST_PAUSE
            except Exception as error:
                self._report(error)
                self._spool.rewind()
                if stopping:
                    return
                await self._rest(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if more:
                continue
            if stopping:
                return
            took = time.monotonic() - started
            await self._rest(min(max(took * _IDLE_SHARE, _SHORTEST_LINGER), _LONGEST_LINGER))
            await self._spool.written.wait()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _drain_once(self) -> bool:
        """Settle one batch; whether there may be more."""
        before = self._spool.position
        records, full = await next_batch(self._spool.read, (Kind.OUTCOME,))
        if full and before >= self._suspect:
            number, full = await self._settle_backlog(records)
        else:
            number = await self._settler.settle(records) if records else None
        position = self._spool.position
        if position != before:
            if number is not None:
                self._settled(number)
            await self._spool.settled(position)
            self._report(None)
        return full

    async def _settle_backlog(self, records: Sequence[Record]) -> tuple[int | None, bool]:
        """Those records and what waits behind them; without it where a row is refused, which is
        then found among the few that a batch holds."""
        backlog = Backlog(records, self._spool)
        try:
            return await self._settler.settle_all(backlog), backlog.full
        except RowRefused:
            self._suspect = self._spool.position
            backlog.leave()
        return await self._settler.settle(records), True

    def _report(self, error: Exception | None) -> None:
        """Say once that settling stopped, and once that it goes on."""
        if error is None:
            if self.interrupted.is_set():
                log.info("usage is settled again")
            self.interrupted.clear()
        elif not self.interrupted.is_set():
            self.interrupted.set()
            if database_is_away(error):
                log.warning("usage is not settled for now", error=type(error).__name__)
            else:
                log.error("usage cannot be settled", exc_info=error)

    async def _adopt_forever(self) -> None:
        while True:
            try:
                await self._settlements.prepare()
                await adopt(self._spool.root, self._settler, self._settled)
            except Exception as error:
                if not database_is_away(error):
                    log.error("usage spools cannot be adopted", exc_info=error)
            await asyncio.sleep(_ADOPT_SECONDS)
