"""Sets money aside for requests: all that wait go to the database together, one round at a time.

Who is granted from a lease (gateway/lease.py) does not wait.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress

import structlog

from db.queries.hold import Granted, HoldDesk, HoldRequest, open_budget, orphans, release
from db.queries.lease import Part, take_back
from db.session import Database, database_is_away
from domain.budget import Budget
from domain.errors import InsufficientCredits, Unavailable
from domain.pricing import dollars
from domain.threshold import tell_of_refusals
from gateway.lease import Leases

_MOST = 1_000
_PATIENCE = 3.0
_PAUSE = 1.0
_SWEEP_SECONDS = 60.0
_TELL_SECONDS = 1.0
"""Wallets that refused are told of together, once what was charged meanwhile is settled."""
_MOST_OPENED = 100_000
_AGAIN_SECONDS = 10.0
"""After that a lease that may have been made is there, or never will be."""

log = structlog.get_logger(__name__)


class Holds:
    """One per process. `process_id` is what the process beats under: what it held is given back
    by others once it has been gone for a quarter of an hour.
    """

    def __init__(self, database: Database, process_id: uuid.UUID) -> None:
        self._database = database
        self._process_id = process_id
        self._desk = HoldDesk(database)
        self._waiting: list[tuple[HoldRequest, asyncio.Future[Granted]]] = []
        self._woken = asyncio.Event()
        self._leases = Leases(database, process_id, self._lost)
        self.leased = self._leases.take
        self._returned: set[uuid.UUID] = set()
        self._parts: set[Part] = set()
        self._returning = asyncio.Event()
        self._opened: set[uuid.UUID] = set()
        self._lacking: set[uuid.UUID] = set()
        self._refused = asyncio.Event()
        self._away_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._grant_forever()),
            asyncio.create_task(self._return_forever()),
            asyncio.create_task(self._tell_forever()),
            asyncio.create_task(self._sweep_forever()),
        ]
        await self._leases.start()

    async def stop(self) -> None:
        """Give back what nobody will settle, if the database answers; others do it else."""
        await self._leases.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(_PATIENCE):
                await self._return()
        await self._desk.close()

    async def settled(self) -> None:
        """Returns when all that was to be given back is, and what is leased."""
        await self._leases.give_back()
        await self._return()

    async def take(self, request: HoldRequest, budgets: Sequence[Budget]) -> int:
        """What is set aside, in nano-USD. `budgets` are those of `request`, told of in refusals.

        Raises InsufficientCredits, or Unavailable while the database is away.
        """
        if time.monotonic() < self._away_until:
            raise _away()
        if budgets:
            await self._open(budgets)
        asked = time.monotonic()
        granted = await self._granted(request)
        if _is_short(request, granted) and await self._recalled(request, asked):
            granted = await self._granted(request)
        if granted.amount is None:
            if granted.lacking is not None and granted.lacking == request.wallet_id:
                self._lacking.add(granted.lacking)
                self._refused.set()
            raise refusal(request, granted, budgets)
        return granted.amount

    async def _granted(self, request: HoldRequest) -> Granted:
        future: asyncio.Future[Granted] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        self._woken.set()
        try:
            return await future
        except asyncio.CancelledError:
            if not future.cancelled():
                # It was granted a moment ago; else it is given back where it is granted.
                self.give_back(request.request_id)
            raise

    async def _recalled(self, request: HoldRequest, asked: float) -> bool:
        """Whether leases of the wallet were given back after `asked`."""
        if request.wallet_id is None:
            return False
        try:
            return await self._leases.recall(request.wallet_id, asked)
        except Exception as error:
            if not database_is_away(error):
                raise
            raise _away() from error

    def take_back(self, part: Part) -> None:
        """What was granted of a lease was not used, and nobody will settle it."""
        self._parts.add(part)
        self._returning.set()

    def _lost(self, lease_id: uuid.UUID) -> None:
        """It may be made yet, where the database did not say."""
        self.give_back(lease_id)
        asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.give_back, lease_id)

    def give_back(self, request_id: uuid.UUID) -> None:
        """Nobody will settle this one: it was not dispatched."""
        self._returned.add(request_id)
        self._returning.set()

    async def _grant_forever(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._grant(batch)

    async def _grant(self, batch: list[tuple[HoldRequest, asyncio.Future[Granted]]]) -> None:
        batch = [each for each in batch if not each[1].cancelled()]
        requests = [request for request, _ in batch]
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._desk.grant(self._process_id, requests)
        except Exception as error:
            self._failed(batch, error)
            return
        for (request, future), granted in zip(batch, found, strict=True):
            if not future.done():
                future.set_result(granted)
            else:
                # Its client left meanwhile. Given back any earlier it would be granted after that.
                self.give_back(request.request_id)

    def _failed(
        self, batch: list[tuple[HoldRequest, asyncio.Future[Granted]]], error: Exception
    ) -> None:
        """Whether they were granted is not known: they are given back as soon as that works."""
        self._away_until = time.monotonic() + _PAUSE
        if not database_is_away(error):
            log.error("credits cannot be held", exc_info=error)
        for request, future in batch:
            self.give_back(request.request_id)
            if not future.done():
                future.set_exception(_away())

    async def _open(self, budgets: Sequence[Budget]) -> None:
        """Each account of a period begins with what was spent before there was a limit."""
        for each in budgets:
            if each.id in self._opened:
                continue
            try:
                async with self._database.write(None) as session:
                    await open_budget(
                        session, each.id, each.kind, each.subject_id, each.period, each.starts_on
                    )
            except Exception as error:
                if not database_is_away(error):
                    raise
                self._away_until = time.monotonic() + _PAUSE
                raise _away() from error
            if len(self._opened) >= _MOST_OPENED:
                self._opened.clear()
            self._opened.add(each.id)

    async def _return_forever(self) -> None:
        while True:
            await self._returning.wait()
            try:
                await self._return()
            except Exception as error:
                if not database_is_away(error):
                    log.error("holds cannot be given back", exc_info=error)
                await asyncio.sleep(_PAUSE)

    async def _return(self) -> None:
        self._returning.clear()
        ids, parts = set(self._returned), set(self._parts)
        try:
            if ids:
                async with self._database.write(None) as session:
                    await release(session, ids)
                self._returned -= ids
            if parts:
                async with self._database.write(None) as session:
                    await take_back(session, parts)
                self._parts -= parts
        except BaseException:
            self._returning.set()
            raise

    async def _tell_forever(self) -> None:
        """One statement a second at most, however many are refused."""
        while True:
            await self._refused.wait()
            await asyncio.sleep(_TELL_SECONDS)
            self._refused.clear()
            lacking, self._lacking = self._lacking, set()
            try:
                await tell_of_refusals(self._database, lacking)
            except Exception as error:
                if not database_is_away(error):
                    log.error("wallets that ran out are not told of", exc_info=error)
                self._lacking |= lacking
                self._refused.set()

    async def _sweep_forever(self) -> None:
        """Give back what processes held that are gone, and whose spool nobody has found."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS * random.uniform(0.5, 1.5))
            try:
                await self.sweep()
            except Exception as error:
                if not database_is_away(error):
                    log.error("orphaned holds cannot be given back", exc_info=error)

    async def sweep(self) -> int:
        """Once; how many there were."""
        async with self._database.write(None) as session:
            found = await orphans(session)
            count = await release(session, found) if found else 0
        if count:
            log.warning("orphaned holds are given back", holds=count)
        return count


def _is_short(request: HoldRequest, granted: Granted) -> bool:
    """Whether its wallet has too little, as far as it is not leased."""
    return (
        granted.amount is None
        and granted.lacking == request.wallet_id is not None
        and granted.room is not None
    )


def refusal(
    request: HoldRequest, granted: Granted, budgets: Sequence[Budget]
) -> InsufficientCredits:
    """Why it was refused, and what helps."""
    needed = dollars(request.least)
    if granted.lacking == request.wallet_id:
        if granted.room is None:
            return InsufficientCredits(
                "Your wallet is frozen: an administrator has to set it free."
            )
        has = dollars(max(granted.room, 0))
        return InsufficientCredits(
            f"This request may cost ${needed}, and ${has} of credits are available. Lower"
            " `max_tokens`, let the answer be shortened (`x-fairlead-clamp: true`), or have"
            " credits topped up."
        )
    limit = next(each for each in budgets if each.id == granted.lacking)
    left = dollars(max(granted.room or 0, 0))
    return InsufficientCredits(
        f"This request may cost ${needed}, and ${left} are left of the ${dollars(limit.limit)} for"
        f" {limit.words}. It renews at {limit.renews_at:%Y-%m-%dT%H:%MZ}."
    )


def _away() -> Unavailable:
    return Unavailable("Credits cannot be held at the moment; try again.")
