"""Leases of busy wallets: requests are granted from what the process holds already, at once.

One lease of a wallet is open at a time. It lives for a second and is replaced while its wallet is
busy; what is left of it is given back. It is tiny beside what its wallet has.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog
from uuid_utils.compat import uuid7

from db.queries.lease import LIFE, UNLEASED, Closing, Wish, renew, unlease
from db.session import Database, database_is_away

_LIFE = LIFE.total_seconds()
_TURN = _LIFE / 2
"""Seconds after which leases are replaced, sooner where one runs low."""
_REST = 0.1
"""Seconds between two turns at least: in between, who finds a lease used up asks the database."""
_BUSY = 2
"""Requests of a wallet within a turn that make it worth a lease."""
_EAGER = 4
"""Requests of a wallet after which its lease does not wait for the turn."""
_LEAST = 2
"""Requests as the last ones that a lease has to be enough for."""
_LOW = 4
"""A lease of which less than this part is left is replaced soon."""
_MOST_LENT = 1 << 62
"""Nano-USD, what a column takes."""
_MOST = 1_000
"""Wallets that are lent of at a time."""
_MOST_RECALLED = 10_000
_PATIENCE = 3.0
_POLL = 0.1
_BARRED = UNLEASED.total_seconds() - 1
"""Seconds in which a wallet that refused certainly has no lease."""
_VAIN = 1.0
"""Seconds without another try where nothing was lent."""

log = structlog.get_logger(__name__)


class Lease:
    """What the process holds of a wallet, nano-USD; nothing is granted of it from `until` on, of
    the monotonic clock."""

    __slots__ = ("id", "low", "unspent", "until", "wallet_id")

    def __init__(self, id: uuid.UUID, wallet_id: uuid.UUID, amount: int, until: float) -> None:
        self.id = id
        self.wallet_id = wallet_id
        self.unspent = amount
        self.low = amount // _LOW
        self.until = until


class Purse:
    """A wallet as this process sees it: its lease, and what was asked for `since`. `soon`: it does
    not wait for its turn. Before `later` no other lease is asked for."""

    __slots__ = ("asked", "later", "lease", "requests", "since", "soon")

    def __init__(self, now: float) -> None:
        self.lease: Lease | None = None
        self.asked = self.requests = 0
        self.since = now
        self.soon = False
        self.later = 0.0


class _Recalled(NamedTuple):
    """From `marked` on nothing was lent of a wallet, and since `done` nothing is leased of it."""

    marked: float
    done: float


class Leases:
    """One per process. `lost` is told of a lease of which is not known whether it was made."""

    def __init__(
        self, database: Database, process_id: uuid.UUID, lost: Callable[[uuid.UUID], None]
    ) -> None:
        self._database = database
        self._process_id = process_id
        self._lost = lost
        self._purses: dict[uuid.UUID, Purse] = {}
        self._closing: dict[uuid.UUID, Closing] = {}
        self._recalled: dict[uuid.UUID, _Recalled] = {}
        self._recalls: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._asked = asyncio.Event()
        self._soon = asyncio.Event()
        self._turning = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._turn_forever())

    async def stop(self) -> None:
        """Grant nothing any more and give everything back, if the database answers."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, *self._recalls.values(), return_exceptions=True)
            self._task = None
        with suppress(Exception):
            await self.give_back()

    def take(self, wallet_id: uuid.UUID, amount: int) -> uuid.UUID | None:
        """The lease that grants `amount`; None: the database has to be asked."""
        purse = self._purses.get(wallet_id)
        if purse is None:
            self._first(wallet_id, amount)
            return None
        purse.asked += amount
        purse.requests += 1
        lease = purse.lease
        if lease is None:
            if purse.requests == _EAGER:
                self._hurry(purse)
            return None
        if amount > lease.unspent:
            self._hurry(purse)
            return None
        if time.monotonic() >= lease.until:
            return None
        lease.unspent -= amount
        if lease.unspent < lease.low:
            self._hurry(purse)
        return lease.id

    def _first(self, wallet_id: uuid.UUID, amount: int) -> None:
        if self._task is not None and len(self._purses) < _MOST:
            purse = self._purses[wallet_id] = Purse(time.monotonic())
            purse.asked, purse.requests = amount, 1
            self._asked.set()

    def _hurry(self, purse: Purse) -> None:
        if not purse.soon and purse.later <= time.monotonic():
            purse.soon = True
            self._soon.set()

    async def give_back(self) -> None:
        """All that is not granted. Raises what the database raises; nothing is lost then."""
        async with self._turning:
            for purse in self._purses.values():
                self._close(purse)
            await self._renewed((), 0.0)

    async def _turn_forever(self) -> None:
        while True:
            await self._asked.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TURN):
                    await self._soon.wait()
            self._soon.clear()
            try:
                await self._turn()
            except Exception as error:
                if not database_is_away(error):
                    log.error("credits cannot be leased", exc_info=error)
                await asyncio.sleep(_VAIN)
            await asyncio.sleep(_REST)

    async def _turn(self) -> None:
        async with self._turning:
            now = time.monotonic()
            wishes = self._wishes(now)
            await self._renewed(wishes, now)
            if not self._purses and not self._closing:
                self._asked.clear()

    def _wishes(self, now: float) -> list[Wish]:
        """What is to be leased; leases that have ended are closed."""
        wishes = []
        for wallet_id, purse in list(self._purses.items()):
            seconds = now - purse.since
            if purse.lease is not None and now >= purse.lease.until:
                self._close(purse)
            if not purse.soon and seconds < _TURN:
                continue
            asked, requests = purse.asked, purse.requests
            purse.asked, purse.requests, purse.since, purse.soon = 0, 0, now, False
            if requests >= _BUSY and purse.later <= now:
                least = min(_LEAST * (asked // requests), _MOST_LENT)
                amount = min(int(asked * _LIFE / max(seconds, _REST)), _MOST_LENT)
                wishes.append(Wish(uuid7(), wallet_id, max(amount, least), least))
            elif not requests and purse.lease is None:
                del self._purses[wallet_id]
        return wishes

    def _close(self, purse: Purse) -> None:
        """Nothing is granted of its lease from now on."""
        lease, purse.lease = purse.lease, None
        if lease is not None:
            self._closing[lease.id] = Closing(lease.id, lease.wallet_id, lease.unspent)

    async def _renewed(self, wishes: Sequence[Wish], now: float) -> None:
        closing = list(self._closing.values())
        if not wishes and not closing:
            return
        lent: dict[uuid.UUID, int] = {}
        try:
            async with asyncio.timeout(_PATIENCE), self._database.write(None) as session:
                lent = await renew(session, self._process_id, wishes, closing)
        except BaseException:
            # Whether it was committed is not known.
            for id in lent:
                self._lost(id)
            raise
        self._closed(closing)
        for wish in wishes:
            purse, amount = self._purses[wish.wallet_id], lent.get(wish.id)
            if amount is None:
                purse.later = now + _VAIN
                continue
            self._close(purse)
            purse.lease = Lease(wish.id, wish.wallet_id, amount, now + _LIFE)

    def _closed(self, closing: Sequence[Closing]) -> None:
        for each in closing:
            del self._closing[each.id]

    async def recall(self, wallet_id: uuid.UUID, asked: float) -> bool:
        """After a refusal of what was asked for at `asked`: have all processes give back what they
        lease of the wallet, and lend nothing of it for a while; whether to ask once more.

        Raises what the database raises.
        """
        if not self._is_recalled(wallet_id):
            task = self._recalls.get(wallet_id)
            if task is None:
                task = asyncio.create_task(self._recall(wallet_id))
                self._recalls[wallet_id] = task
                task.add_done_callback(lambda done: self._ended(wallet_id, done))
            await asyncio.shield(task)
        found = self._recalled.get(wallet_id)
        return found is not None and found.done > asked

    def _ended(self, wallet_id: uuid.UUID, task: asyncio.Task[None]) -> None:
        del self._recalls[wallet_id]
        if not task.cancelled():
            # Whoever waits is told; all may have left.
            task.exception()

    def _is_recalled(self, wallet_id: uuid.UUID) -> bool:
        found = self._recalled.get(wallet_id)
        return found is not None and time.monotonic() < found.marked + _BARRED

    async def _recall(self, wallet_id: uuid.UUID) -> None:
        async with asyncio.timeout(_PATIENCE):
            while True:
                marked = time.monotonic()
                if not await self._unleased(wallet_id):
                    break
                await asyncio.sleep(_POLL)
        if len(self._recalled) >= _MOST_RECALLED:
            self._recalled = {id: at for id, at in self._recalled.items() if self._is_recalled(id)}
        self._recalled[wallet_id] = _Recalled(marked, time.monotonic())

    async def _unleased(self, wallet_id: uuid.UUID) -> bool:
        """Whether other processes have not given back yet."""
        async with self._turning:
            purse = self._purses.get(wallet_id)
            if purse is not None:
                self._close(purse)
                purse.later = time.monotonic() + _BARRED
            closing = [each for each in self._closing.values() if each.wallet_id == wallet_id]
            async with self._database.write(None) as session:
                others = await unlease(session, self._process_id, wallet_id, closing)
            self._closed(closing)
        return others
