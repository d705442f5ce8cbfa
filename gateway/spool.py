"""The usage spool: what a request used is on disk before anybody is told that it is done."""

import asyncio
import os
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path

import structlog

from domain.errors import Unavailable
from domain.usage import Intent, Outcome, Progress
from gateway.fresh import Fresh
from gateway.records import (
    Kind,
    Record,
    encode_intent,
    encode_outcome,
    encode_progress,
    frame,
)
from gateway.segmentfile import SegmentFile
from gateway.segments import Position, SpoolDirectory, SpoolReader

SEGMENT_BYTES = 16 * 1024 * 1024

_SYNC_SECONDS = 0.04
_UNWRITTEN = 10_000
_PROBE_SECONDS = 1.0
_PROBE_BYTES = 256 * 1024

log = structlog.get_logger(__name__)


class Spool:
    """Implements `Recorder`. Each record is written (it survives our death) before the call
    returns, and reaches the disk (it survives the machine's) within 50 ms; `synced` waits for that.

    The last that is known of a request, its intent or its progress, keeps its segment until its
    outcome is written; segments go once they are settled.
    After a disk error `healthy` is False and intents are refused until the disk takes data again.
    """

    def __init__(self, root: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Claims a new directory under `root`. Raises `OSError`."""
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root = root
        self.healthy = True
        self.written = asyncio.Event()
        self._segment_bytes = segment_bytes
        self._directory = SpoolDirectory.create(root)
        self._number = 0
        self._sequence = 0
        self._unsynced: list[SegmentFile] = []
        self._named = False
        self._file = self._next_segment(0)
        self._reader = SpoolReader(self._directory)
        self._settled = self._reader.position
        self._fresh = Fresh(self._reader.position)
        self._open: dict[uuid.UUID, int] = {}
        self._pins: Counter[int] = Counter()
        self._unwritten: dict[uuid.UUID, bytes] = {}
        self._waiters: list[asyncio.Future[None]] = []
        self._dirty = asyncio.Event()
        self._urgent = asyncio.Event()
        self._syncing: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        self._syncing = asyncio.create_task(self._sync_forever())

    async def close(self) -> None:
        """Bring everything to disk, and leave nothing behind when all of it is settled."""
        self._closing = True
        self._dirty.set()
        self._urgent.set()
        if self._syncing is not None:
            await self._syncing
        with suppress(OSError):
            self._file.finish()
        await self._sync()
        self._file.close()
        if not self._open and self._settled == self._written:
            self._directory.remove()
        else:
            self._directory.release()

    def intent(self, intent: Intent) -> None:
        """Raises `Unavailable` when it is not on record: the request must not be dispatched."""
        if not self.healthy:
            raise Unavailable("Requests cannot be recorded at the moment; try again.")
        self._append(Kind.INTENT, encode_intent(intent))
        self._open[intent.id] = self._number
        self._pins[self._number] += 1

    def progress(self, progress: Progress) -> None:
        """In place of what was known of the request before. Raises `Unavailable`."""
        pinned = self._open.get(progress.intent.id)
        if pinned is None:
            return
        self._append(Kind.PROGRESS, encode_progress(progress))
        self._pins[pinned] -= 1
        self._open[progress.intent.id] = self._number
        self._pins[self._number] += 1

    def outcome(self, outcome: Outcome) -> None:
        """Raises `Unavailable` when it is not on record yet: it is then written when the disk
        takes data again, and should we die before, its request is listed as UNKNOWN.
        """
        payload = encode_outcome(outcome)
        try:
            self._append(Kind.OUTCOME, payload)
        except Unavailable:
            if len(self._unwritten) < _UNWRITTEN:
                self._unwritten[outcome.id] = payload
            raise
        self._close_intent(outcome.id)

    async def synced(self) -> None:
        """Until everything written so far is on the disk itself. Raises `Unavailable`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._dirty.set()
        self._urgent.set()
        await waiter

    def read(self, limit: int) -> list[Record]:
        """The next records that are not settled, at most `limit`; for one reader.

        One that keeps up is given outcomes alone, without a look at the disk.
        """
        written, reader, fresh = self._written, self._reader, self._fresh
        if reader.position < fresh.start:
            # Where nothing before it can be read any more, what can be is looked for behind.
            records = reader.read(limit, fresh.start) or reader.read(limit, written)
            fresh.forget(reader.position)
            return records
        records = fresh.take(limit, written)
        reader.position = fresh.start
        return records

    @property
    def position(self) -> Position:
        """How far `read` has come."""
        return self._reader.position

    def rewind(self, position: Position | None = None) -> None:
        """Read again from `position` on, by default all that was not settled."""
        self._reader.position = self._settled if position is None else position

    async def settled(self, position: Position) -> None:
        """The database has everything before `position`: segments before it go. Raises `OSError`.

        Others run meanwhile, as a disk takes milliseconds to give back what a segment had.
        """
        self._settled = position
        numbers = self._directory.segments()
        gone = [n for n in numbers if n < position.segment and not self._pins[n]]
        if gone:
            await asyncio.to_thread(self._directory.forget, gone)
        for number in gone:
            del self._pins[number]

    def _close_intent(self, request_id: uuid.UUID) -> None:
        pinned = self._open.pop(request_id, None)
        if pinned is not None:
            self._pins[pinned] -= 1
        self.written.set()

    def _append(self, kind: Kind, payload: bytes) -> None:
        data = frame(self._sequence, kind, payload)
        try:
            if not self._file.append(data):
                self._file = self._next_segment(len(data))
                self._file.append(data)
        except OSError as error:
            self._fail(error)
            raise Unavailable("Requests cannot be recorded at the moment; try again.") from error
        if kind is Kind.OUTCOME:
            self._fresh.wrote(Record(self._sequence, kind, payload), self._written)
        self._sequence += 1
        self._dirty.set()

    @property
    def _written(self) -> Position:
        return Position(self._number, self._file.size)

    def _next_segment(self, least: int) -> SegmentFile:
        path = self._directory.segment(self._number + 1)
        file = SegmentFile(path, max(self._segment_bytes, least))
        if self._number:
            with suppress(OSError):
                self._file.finish()
            self._unsynced.append(self._file)
        self._number += 1
        self._named = False
        return file

    def _fail(self, error: OSError) -> None:
        if self.healthy:
            log.error("usage spool cannot be written", error=error.strerror, number=error.errno)
        self.healthy = False
        self._dirty.set()

    async def _sync_forever(self) -> None:
        while not self._closing:
            await self._dirty.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_SYNC_SECONDS):
                    await self._urgent.wait()
            await self._sync()
            if not self.healthy and not self._closing:
                await self._recover()

    async def _sync(self) -> None:
        """Everything written before this call; its waiters are told."""
        self._dirty.clear()
        self._urgent.clear()
        waiters, self._waiters = self._waiters, []
        closing, self._unsynced = self._unsynced, []
        named, self._named = self._named, True
        try:
            await asyncio.to_thread(_to_disk, self._directory, [*closing, self._file], named)
        except OSError as error:
            self._fail(error)
            self._unsynced = [*closing, *self._unsynced]
            self._named = self._named and named
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(Unavailable("The usage could not be recorded."))
            return
        for file in closing:
            file.close()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _recover(self) -> None:
        """Take requests again once the disk takes data again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._urgent.wait()
        self._dirty.set()
        try:
            await asyncio.to_thread(_probe, self._directory.path / "probe")
            self._file = self._next_segment(0)
            for request_id, payload in list(self._unwritten.items()):
                self._append(Kind.OUTCOME, payload)
                del self._unwritten[request_id]
                self._close_intent(request_id)
        except (OSError, Unavailable):
            return
        self.healthy = True
        log.info("usage spool is written again")


def _to_disk(directory: SpoolDirectory, files: list[SegmentFile], named: bool) -> None:
    """`named`: the names of the files are on disk already."""
    for file in files:
        file.sync()
    if not named:
        directory.sync()


def _probe(path: Path) -> None:
    """Raises `OSError` unless the disk takes and keeps data."""
    try:
        with path.open("wb") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fdatasync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
