"""What was written to the spool lately: whoever reads that far need not read it back."""

from collections import deque

from gateway.records import Record
from gateway.segments import Position

_MOST_BYTES = 4 * 1024 * 1024
"""2,000 outcomes of 2 KB: half a second of a busy process. What is older is read from the files."""


class Fresh:
    """The outcomes from the place `start` on; the oldest give way to new ones."""

    def __init__(self, start: Position) -> None:
        self.start = start
        self._held: deque[tuple[Record, Position]] = deque()
        """Each with the place where it ends."""
        self._bytes = 0

    def wrote(self, record: Record, end: Position) -> None:
        """An outcome."""
        self._held.append((record, end))
        self._bytes += len(record.payload)
        while self._bytes > _MOST_BYTES:
            self._next()

    def forget(self, place: Position) -> None:
        """What ends before `place` has been read from the files."""
        while self._held and self._held[0][1] <= place:
            self._next()
        self.start = max(self.start, place)

    def take(self, limit: int, written: Position) -> list[Record]:
        """The next ones; `start` is then behind them, and at the last at what is `written`."""
        taken = [self._next() for _ in range(min(limit, len(self._held)))]
        if not self._held:
            self.start = written
        return taken

    def _next(self) -> Record:
        record, self.start = self._held.popleft()
        self._bytes -= len(record.payload)
        return record
