"""What was written to the spool lately, for a reader that keeps up: it need not read it back."""

from collections import deque

from gateway.records import Kind, Record
from gateway.segments import Position

_MOST_BYTES = 4 * 1024 * 1024
"""2,000 outcomes of 2 KB: half a second of a busy process. What is more is read from the files."""


class Fresh:
    """Outcomes from the place `start` on, as long as they are few; `start` None: none are kept."""

    def __init__(self) -> None:
        self.start: Position | None = None
        self._held: deque[tuple[Record, int, int]] = deque()
        """Each with the segment and the offset where it ends."""
        self._bytes = 0

    def begin(self, start: Position) -> None:
        """Everything before is read."""
        self.drop()
        self.start = start

    def drop(self) -> None:
        self.start = None
        self._held.clear()
        self._bytes = 0

    def wrote(self, sequence: int, kind: Kind, payload: bytes, segment: int, end: int) -> None:
        if self.start is None or kind is not Kind.OUTCOME:
            return
        self._bytes += len(payload)
        if self._bytes > _MOST_BYTES:
            return self.drop()
        self._held.append((Record(sequence, kind, payload), segment, end))

    def take(self, limit: int, written: Position) -> list[Record]:
        """The next ones; `start` is then behind them, and at the last at what is `written`."""
        taken: list[Record] = []
        while self._held and len(taken) < limit:
            record, segment, end = self._held.popleft()
            taken.append(record)
            self._bytes -= len(record.payload)
            self.start = Position(segment, end)
        if not self._held:
            self.start = written
        return taken
