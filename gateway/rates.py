"""Rates and concurrency of callers, shared by every process: one round of the database for all."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import structlog

from db.queries import rate as queries
from db.session import AsyncSession, Database, database_is_away
from domain.errors import LimitExceeded
from domain.limits import Limited
from domain.rate import Book, Claim, Rate, Verdict, Window, stored
from gateway.grant import Grant, claims_of, refusal

PATIENCE = 2.0
"""Seconds a round may take before the database counts as away."""
PAUSE = 1.0
"""Seconds without another round after one that found it away."""
LINGER = 0.05
"""Seconds that what has ended waits for company: it only makes room."""
TIDY = 60.0
"""Seconds after which to look again how many processes there are, and to clear up."""

_Key = tuple[uuid.UUID, Rate]

log = structlog.get_logger(__name__)


class Correction(NamedTuple):
    """What was taken of a rate in `slot` turned out to differ by `by`."""

    key: _Key
    slot: int
    by: int


class RateLimiter:
    """One per process. Callers without limits never meet it. Without a database it is the only one.

    Every request that waits for a verdict shares the next round, so a limit is exact however many
    processes there are. While the database is away each process counts for itself and grants its
    share of the limit, by the processes it last saw.
    """

    def __init__(
        self,
        database: Database | None,
        process_id: uuid.UUID = uuid.UUID(int=0),  # noqa: B008 - frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._process_id = process_id
        self._clock = clock
        self._waiting: list[tuple[Sequence[Claim], asyncio.Future[Verdict]]] = []
        self._corrections: list[Correction] = []
        self._running: dict[uuid.UUID, int] = {}
        self._ended: set[uuid.UUID] = set()
        self._own: dict[_Key, Window] = {}
        self._processes = 1
        self._tidied = 0.0
        self._away_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Tell the others what has ended, if the database answers."""
        if self._database is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._ended or self._corrections or self._working:
                    self._wake()
                    await asyncio.wait([self._task] if self._task else [])

    async def granted(self, limits: Sequence[Limited], tokens: int) -> Grant | None:
        """For one request of at most so many tokens; None where no rate is limited.

        Raises `LimitExceeded`.
        """
        claims = claims_of(limits, tokens) if limits else ()
        return await self.admit(claims) if claims else None

    async def admit(self, claims: Sequence[Claim]) -> Grant:
        """All of the claims or nothing. Raises `LimitExceeded` with the seconds to wait."""
        if self._database is None or self._clock() < self._away_until:
            verdict = self._alone(claims)
        else:
            verdict = await self._asked(claims)
        if verdict.refused is not None:
            raise LimitExceeded(refusal(verdict.refused, verdict.wait), retry_after=verdict.wait)
        return Grant(claims, verdict, self._release)

    async def _asked(self, claims: Sequence[Claim]) -> Verdict:
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((claims, answer))
        self._wake()
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.result().refused is None:
                self._release(claims, answer.result().slot, 0)
            raise

    def _release(self, claims: Sequence[Claim], slot: int, tokens: int | None) -> None:
        for claim in claims:
            if claim.rate is Rate.CONCURRENCY:
                self._running[claim.subject] -= claim.amount
                self._ended.add(claim.subject)
            elif claim.rate is Rate.TOKENS and tokens is not None and tokens != claim.amount:
                self._correct((claim.subject, claim.rate), slot, tokens - claim.amount)
        waiting = self._ended or self._corrections
        if waiting and self._timer is None and self._database is not None:
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._wake)

    def _correct(self, key: _Key, slot: int, by: int) -> None:
        own = self._own.get(key)
        if own is None:
            self._corrections.append(Correction(key, slot, by))
        else:
            own.correct(slot, by)

    @property
    def _working(self) -> bool:
        return self._task is not None and not self._task.done()

    def _wake(self) -> None:
        if not self._working:
            self._task = asyncio.get_running_loop().create_task(self._rounds())

    async def _rounds(self) -> None:
        await self._round()
        if self._clock() - self._tidied > TIDY:
            await self._tidy()
        while self._waiting:
            await self._round()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncSession]:
        if self._database is None:
            raise RuntimeError("A process that is alone has nobody to ask.")
        async with asyncio.timeout(PATIENCE), self._database.write(None) as session:
            yield session

    async def _round(self) -> None:
        """One transaction for everybody who waits; each of them gets a verdict."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        corrections, self._corrections = self._corrections, []
        ended, self._ended = self._ended, set()
        asked = [claims for claims, _ in waiting]
        try:
            async with self._session() as session:
                verdicts = await self._judged(session, asked, corrections, ended)
        except Exception as error:
            self._lost(error)
            self._ended |= ended
            verdicts = [self._alone(claims) for claims in asked]
        else:
            self._own.clear()
            for claims, verdict in zip(asked, verdicts, strict=True):
                self._begin(claims, verdict)
        for (claims, answer), verdict in zip(waiting, verdicts, strict=True):
            if not answer.done():
                answer.set_result(verdict)
            elif verdict.refused is None:
                self._release(claims, verdict.slot, 0)

    async def _judged(
        self,
        session: AsyncSession,
        asked: Sequence[Sequence[Claim]],
        corrections: Sequence[Correction],
        ended: set[uuid.UUID],
    ) -> list[Verdict]:
        claims = [claim for claims in asked for claim in claims]
        limited = {c.subject for c in claims if c.rate is Rate.CONCURRENCY}
        keys = {(c.subject, c.rate) for c in claims} | {c.key for c in corrections}
        now, windows = await _windows(session, keys)
        for correction in corrections:
            windows[correction.key].correct(correction.slot, correction.by)
        elsewhere: dict[uuid.UUID, int] = {}
        if limited:
            elsewhere = await queries.running_elsewhere(session, limited, self._process_id)
        running = {subject: self._running.get(subject, 0) for subject in limited | ended}
        book = Book(now, windows, running, elsewhere)
        verdicts = [book.claim(claims) for claims in asked]
        await queries.keep_windows(
            session,
            [
                {"subject_id": subject, "rate": rate, "slot": w.slot, "counts": w.counts}
                for (subject, rate), w in windows.items()
                if rate is not Rate.CONCURRENCY
            ],
        )
        await queries.keep_running(session, self._process_id, running)
        return verdicts

    def _begin(self, claims: Sequence[Claim], verdict: Verdict) -> None:
        if verdict.refused is None:
            for claim in claims:
                if claim.rate is Rate.CONCURRENCY:
                    held = self._running.get(claim.subject, 0)
                    self._running[claim.subject] = held + claim.amount

    def _alone(self, claims: Sequence[Claim]) -> Verdict:
        """By what this process counted itself, of its share of each limit."""
        share = [c._replace(limit=max(c.limit // self._processes, min(c.limit, 1))) for c in claims]
        return Book(self._clock(), self._own, self._running, {}).claim(share)

    def _lost(self, error: Exception) -> None:
        self._away_until = self._clock() + PAUSE
        if not database_is_away(error):
            log.error("rates cannot be counted", exc_info=error)

    async def _tidy(self) -> None:
        self._tidied = self._clock()
        self._running = {subject: count for subject, count in self._running.items() if count}
        try:
            async with self._session() as session:
                self._processes = await queries.tidy_rates(session)
        except Exception as error:
            self._lost(error)


async def _windows(
    session: AsyncSession, keys: Collection[_Key]
) -> tuple[float, dict[_Key, Window]]:
    """The database's clock and the windows of `keys`, moved to it."""
    if not keys:
        return 0.0, {}
    now, rows = await queries.locked_windows(session, keys)
    windows = {(row.subject_id, Rate(row.rate)): stored(row.slot, row.counts) for row in rows}
    for window in windows.values():
        window.move(now)
    return now, windows
