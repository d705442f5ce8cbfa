"""Where spools lie on disk: one locked directory for each process, with numbered segments.

<root>/<process id>/lock           held with flock while the process lives
<root>/<process id>/00000001.spool
<root>/<process id>-00000001-<offset>.bad   bytes that no record could be read from
"""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

import structlog

from gateway.records import Record, scan

_CHUNK = 128 * 1024
_SUFFIX = ".spool"

log = structlog.get_logger(__name__)


class Position(NamedTuple):
    """A place between two records."""

    segment: int
    offset: int


class SpoolDirectory:
    """One process's spool; whoever holds its lock may read and remove it."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, root: Path) -> Self:
        """A new one. It is locked before others can see it. Raises `OSError`."""
        name = uuid.uuid4().hex
        draft = root / f".{name}"
        draft.mkdir(parents=True, mode=0o700)
        lock = os.open(draft / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(draft.rename(root / name), lock)

    @classmethod
    def abandoned(cls, root: Path) -> Iterator[Self]:
        """Locks and hands out the spools of dead processes."""
        found = [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]
        for path in sorted(found):
            lock = _try_lock(path / "lock")
            if lock is not None:
                yield cls(path, lock)

    def segments(self) -> list[int]:
        names = os.listdir(self.path)
        return sorted(int(name.removesuffix(_SUFFIX)) for name in names if name.endswith(_SUFFIX))

    def segment(self, number: int) -> Path:
        return self.path / f"{number:08}{_SUFFIX}"

    def open(self, number: int) -> int:
        """A descriptor to read the segment by. Raises `OSError`."""
        return os.open(f"{self.path}/{number:08}{_SUFFIX}", os.O_RDONLY)

    def forget(self, numbers: Iterable[int]) -> None:
        """Remove segments. Raises `OSError`."""
        for number in numbers:
            self.segment(number).unlink(missing_ok=True)

    def sync(self) -> None:
        """Bring new segments' names to disk. Raises `OSError`."""
        for path in (self.path, self.path.parent):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def quarantine(self, place: Position, data: bytes) -> None:
        """Keep damaged bytes beside the spools, for a person to look at."""
        bad = self.path.with_name(f"{self.path.name}-{place.segment:08}-{place.offset}.bad")
        bad.write_bytes(data)
        log.error("usage spool is damaged", file=bad.name, bytes=len(data))

    def release(self) -> None:
        """Leave it to the next process that finds it."""
        os.close(self._lock)

    def remove(self) -> None:
        """Everything in it is settled."""
        shutil.rmtree(self.path)
        self.release()


def _try_lock(path: Path) -> int | None:
    """The locked descriptor; None when its process lives, or its directory is gone."""
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(lock).st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


class SpoolReader:
    """Reads the records of a directory in order, holding no more than asked for in memory.

    `last` is how far the living process has written, None when it is dead.
    """

    def __init__(self, directory: SpoolDirectory) -> None:
        self._directory = directory
        numbers = directory.segments()
        self.position = Position(numbers[0] if numbers else 1, 0)

    def read(self, limit: int, last: Position | None) -> list[Record]:
        """Up to `limit` records; none when there are no more yet. Raises `OSError`."""
        while True:
            segment = self.position.segment
            final = last is None or segment < last.segment
            records = self._read_segment(limit, None if last is None or final else last.offset)
            if records or not final:
                return records
            following = [n for n in self._directory.segments() if n > segment]
            if not following:
                return []
            self.position = Position(following[0], 0)

    def _read_segment(self, limit: int, written: int | None) -> list[Record]:
        """`written` bytes of it; None: it is whole."""
        segment, offset = self.position
        if written == offset:
            return []
        try:
            file = self._directory.open(segment)
        except FileNotFoundError:
            return []
        try:
            size = os.fstat(file).st_size if written is None else written
            for length in (min(_CHUNK, size - offset), size - offset):
                data = os.pread(file, length, offset)
                found = scan(data, limit)
                if found.records:
                    break
        finally:
            os.close(file)
        for start, end in found.damaged:
            place = Position(segment, offset + start)
            self._directory.quarantine(place, data[start:end])
        end = found.end
        if not found.records and written is None:
            if data.strip(b"\0"):
                self._directory.quarantine(self.position, data.rstrip(b"\0"))
            end = len(data)
        self.position = Position(segment, offset + end)
        return found.records
