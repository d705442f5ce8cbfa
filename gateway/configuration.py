"""The running configuration of this process: kept current, swapped whole, surviving outages."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import msgspec
import structlog
from uuid_utils.compat import uuid7

from db.changes import Changes
from db.queries.configuration import beat, changes_after, latest_change, sign_off
from db.queries.snapshot import configuration_rows
from db.session import Database, database_is_away
from domain.configuration import snapshot_of
from domain.health import Live, Observatory
from domain.progress import Standing
from domain.snapshot import EMPTY, CredentialState, Snapshot
from gateway.diskcopy import USABLE_SECONDS, DiskCopy
from gateway.progress import Progress

Listener = Callable[[str, uuid.UUID | None], None]
"""Told the kind and object of each change; no object means every object of that kind."""

Change = tuple[int, str, uuid.UUID | None]

_IN_SNAPSHOT: Final = frozenset(
    {"provider", "credential", "model", "rule", "organization", "installation"}
)
_KINDS: Final = (*_IN_SNAPSHOT, "apikey", "user", "settings", "session")

_BEAT_SECONDS = 5.0
_SOON_SECONDS = 0.2
_COPY_SECONDS = 3600.0
_FIRST_LOAD_SECONDS = 6.0

log = structlog.get_logger(__name__)


class RunningConfiguration:
    """Implements `domain.ports.ConfigurationFeed`.

    A change made here is applied by `refresh`; one made elsewhere within about a second. While
    the database is away the last snapshot stays, and a start without it uses the copy on disk.
    """

    def __init__(
        self,
        database: Database,
        observatory: Observatory,
        *,
        copy: DiskCopy | None = None,
        poll_seconds: float = 1.0,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.process_id: uuid.UUID = uuid7()
        self.snapshot: Snapshot = EMPTY
        self.changes = Changes(database, self._catch_up, poll_seconds=poll_seconds)
        self._database = database
        self._observatory = observatory
        self._copy = copy
        self._progress = Progress(database)
        self._listeners = list(listeners)
        self._loaded = asyncio.Event()
        self._swapping = asyncio.Lock()
        self._swapped = asyncio.Event()
        self._confirmed_at = 0.0
        self._refused: int | None = None
        self._copied: tuple[int, int] | None = None
        self._beating: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether a snapshot is held that was current within the last day."""
        return self._confirmed_at > 0 and time.time() - self._confirmed_at < USABLE_SECONDS

    @property
    def reached(self) -> bool:
        """Whether the database answered when it was last asked."""
        return not self.changes.interrupted.is_set()

    @property
    def live(self) -> Live:
        """What was observed of the deployments; the observatory rebuilds it when it is due."""
        return self._observatory.view(time.time())

    def follow(self) -> AsyncGenerator[Standing, None]:
        """How far all processes are, and again whenever that changes."""
        return self._progress.follow()

    def listen(self, listener: Listener) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Load; without the database, from the copy on disk. Then keep current until `stop`."""
        await self.changes.start()
        await self._first_answer()
        if not self._loaded.is_set() and self._copy is not None:
            kept = await asyncio.to_thread(self._copy.load, time.time())
            if kept is not None and not self._loaded.is_set():
                self.snapshot, self._confirmed_at = kept, kept.loaded_at
                log.warning("configuration loaded from disk", number=kept.number)
        if self._loaded.is_set():
            await self._beat()
            await self._save_copy()
        self._beating = asyncio.create_task(self._beat_forever())

    async def stop(self) -> None:
        self._progress.stop()
        await self.changes.stop()
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
            await self._save_copy()
            with _tolerated("sign-off"):
                async with self._database.write(None) as session:
                    await sign_off(session, self.process_id)

    async def refresh(self) -> None:
        """Apply committed changes now, and hint the other processes.

        Never fails: the caller has committed, and the poll finds what this could not read.
        """
        with _tolerated("refresh"):
            async with self._database.read(None) as session:
                number = await latest_change(session)
            await self._catch_up(number)
        self.changes.hint()

    async def _first_answer(self) -> None:
        """Until the configuration is loaded or the database is found to be away."""
        answers = [
            asyncio.create_task(self._loaded.wait()),
            asyncio.create_task(self.changes.interrupted.wait()),
        ]
        await asyncio.wait(
            answers, timeout=_FIRST_LOAD_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for answer in answers:
            answer.cancel()

    async def _catch_up(self, number: int) -> None:
        """Bring the snapshot to at least change `number`.

        A configuration this version cannot read is refused: the last one stays.
        """
        async with self._swapping:
            current = self._loaded.is_set() and number == self.snapshot.number
            if not current and number != self._refused:
                await self._swap(number)
            if self._refused is None:
                self._confirmed_at = time.time()

    async def _swap(self, number: int) -> None:
        held = self.snapshot
        async with self._database.read(None) as session:
            changes = await changes_after(session, held.number)
            if self._loaded.is_set() and await latest_change(session) == held.number:
                return
        if self._loaded.is_set() and changes and _IN_SNAPSHOT.isdisjoint(k for _, k, _ in changes):
            self.snapshot = msgspec.structs.replace(held, number=changes[-1][0])
            self._swapped.set()
            self._tell(changes)
            return
        async with self._database.read(None) as session:
            rows = await configuration_rows(session)
            changes = await changes_after(session, held.number)
        if rows.number < held.number:
            changes = [(0, kind, None) for kind in _KINDS]
        try:
            self.snapshot = await asyncio.to_thread(snapshot_of, rows, time.time())
            self._refused = None
            self._loaded.set()
            self._swapped.set()
            self._observatory.taken(_in_use(self.snapshot, changes))
        except (ValueError, LookupError) as error:
            self._refused = number
            self._swapped.set()
            log.error("configuration is refused", number=number, error=type(error).__name__)
        if held is not EMPTY:
            self._tell(changes)

    def _tell(self, changes: Sequence[Change]) -> None:
        for _, kind, object_id in changes:
            for listener in self._listeners:
                listener(kind, object_id)

    async def _beat_forever(self) -> None:
        """Every few seconds, and soon after a change."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_SECONDS):
                    await self._swapped.wait()
                    await asyncio.sleep(_SOON_SECONDS)
            self._swapped.clear()
            await self._beat()
            await self._save_copy()

    async def _beat(self) -> None:
        """Say that this process lives and what it has applied."""
        with _tolerated("heart-beat"):
            async with self._database.write(None) as session:
                await beat(
                    session,
                    self.process_id,
                    socket.gethostname(),
                    self.snapshot.number,
                    self._refused,
                )

    async def _save_copy(self) -> None:
        """Write the copy when the configuration changed, and each hour to date it anew."""
        if self._copy is None or not self._loaded.is_set():
            return
        state = (self.snapshot.number, int(self._confirmed_at // _COPY_SECONDS))
        if state == self._copied:
            return
        try:
            await asyncio.to_thread(self._copy.save, self.snapshot, self._confirmed_at)
            self._copied = state
        except OSError as error:
            log.warning("configuration copy is not written", error=type(error).__name__)


def _in_use(snapshot: Snapshot, changes: Sequence[Change]) -> set[uuid.UUID]:
    """Keys that were changed, and may be used."""
    changed = {object_id for _, kind, object_id in changes if kind == "credential"}
    if not changed:
        return set()
    return {
        key.id
        for found in snapshot.credentials.values()
        for key in found
        if key.state is CredentialState.ACTIVE and (key.id in changed or None in changed)
    }


@contextmanager
def _tolerated(what: str) -> Iterator[None]:
    """Work that must not fail its caller: an outage passes, anything else is logged."""
    try:
        yield
    except Exception as error:
        if not database_is_away(error):
            log.exception("configuration task failed", task=what)
