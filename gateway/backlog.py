"""What waits in the spool beyond what a batch holds in memory: read while it is sent."""

from collections.abc import Iterator, Sequence

from gateway.adoption import BATCH_ROWS, SLICE
from gateway.records import Kind, Record
from gateway.spool import Spool


class Backlog:
    """The outcomes `held`, and those that follow them in the spool; read anew each time.

    `full`: as many as one batch takes, so that more may wait.
    """

    def __init__(self, held: Sequence[Record], spool: Spool) -> None:
        self._held = held
        self._spool = spool
        self._place = spool.position
        self.full = False

    def __iter__(self) -> Iterator[Record]:
        if self._spool.position != self._place:
            self.leave()
        yield from self._held
        count, self.full, outcome = len(self._held), False, Kind.OUTCOME
        while count < BATCH_ROWS:
            found = self._spool.read(SLICE)
            if not found:
                return
            for record in found:
                if record.kind is outcome:
                    count += 1
                    yield record
        self.full = True

    def leave(self) -> None:
        """The spool goes on behind what is held."""
        self._spool.rewind(self._place)
