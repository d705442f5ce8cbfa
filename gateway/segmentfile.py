"""A segment of the usage spool while it is written, through memory that the kernel keeps.

What is copied there survives our death at once, as with a write, at a tenth of what a write costs
beside a disk that is syncing. All of the room is taken from the disk beforehand: to write into a
mapped file on a full disk would end the process.
"""

import mmap
import os
from pathlib import Path

_WINDOW = 1024 * 1024
"""Bytes that are mapped at a time; they count as our memory."""


class SegmentFile:
    """`size` is how far it is written; what lies beyond is zeros until it is `finished`."""

    def __init__(self, path: Path, room: int) -> None:
        """Makes it. Raises `OSError`, and leaves nothing: when the disk is full, for one."""
        self.size = 0
        self._room = room
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(self._file, 0, room)
            self._start = 0
            self._window = self._mapped(0, 0)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise

    def append(self, data: bytes) -> bool:
        """False where it does not fit. Raises `OSError`: nothing is written."""
        if self.size + len(data) > self._room:
            return False
        start = self.size - self._start
        end = start + len(data)
        if end > len(self._window):
            start = self.size % mmap.ALLOCATIONGRANULARITY
            window, end = self._mapped(self.size - start, start + len(data)), start + len(data)
            self._window.close()
            self._window, self._start = window, self.size - start
        self._window[start:end] = data
        self.size += len(data)
        return True

    def finish(self) -> None:
        """Nothing more is appended; the room that is left goes back. Raises `OSError`."""
        self._window.close()
        os.ftruncate(self._file, self.size)

    def sync(self) -> None:
        """Bring what was appended to the disk itself. Raises `OSError`."""
        os.fdatasync(self._file)

    def close(self) -> None:
        self._window.close()
        os.close(self._file)

    def _mapped(self, start: int, least: int) -> mmap.mmap:
        length = min(max(_WINDOW, least), self._room - start)
        return mmap.mmap(self._file, length, offset=start)
