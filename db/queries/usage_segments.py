"""How the spans of a series are put together from segments that neighbours share. Pure.

A day of a zone that is not UTC cuts two UTC days. It is the UTC day nearest to it, and what lies
between each of its two ends and the nearest midnight: added, or taken away. The next day begins
where it ends, so that segment is read once and counts for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from db.queries.rollup import DAY
from db.queries.usage_pieces import GRAINS, Pieces, ceiling, floor, spans_between, whole_end

_SHORTEST = timedelta(hours=20)
"""Shorter spans have less to read than their distance to midnight."""


class Share(NamedTuple):
    """`sign` 1 adds a segment to the span in that place, -1 takes it away."""

    segment: int
    place: int
    sign: int


@dataclass(slots=True)
class Segments:
    """Segments as `pieces`, in which `place` is a segment's number, and who has which."""

    grains: Sequence[int]
    pieces: Pieces = field(default_factory=Pieces)
    shares: list[Share] = field(default_factory=list)
    _count: int = 0
    _parts: dict[datetime, int] = field(default_factory=dict)

    def _add(self, start: datetime, end: datetime) -> int:
        number, self._count = self._count, self._count + 1
        self.pieces.add(number, start, end, self.grains)
        return number

    def span(self, place: int, start: datetime, end: datetime) -> None:
        """Another span."""
        first, last = _nearest_midnight(start), _nearest_midnight(end)
        if end - start < _SHORTEST or first >= last:
            self.shares.append(Share(self._add(start, end), place, 1))
            return
        self.shares.append(Share(self._add(first, last), place, 1))
        if start != first:
            self.shares.append(Share(self._part(start, first), place, 1 if start < first else -1))
        if end != last:
            self.shares.append(Share(self._part(end, last), place, 1 if last < end else -1))

    def _part(self, moment: datetime, midnight: datetime) -> int:
        if moment not in self._parts:
            self._parts[moment] = self._add(min(moment, midnight), max(moment, midnight))
        return self._parts[moment]


def segments(
    starts: Sequence[datetime], until: datetime, now: datetime, grains: Sequence[int] = GRAINS
) -> Segments:
    """The spans that begin at `starts`, each up to the next, as few cells as they share."""
    found = Segments(grains)
    for place, (start, end) in enumerate(spans_between(starts, until)):
        found.span(place, start, whole_end(end, now))
    return found


def _nearest_midnight(moment: datetime) -> datetime:
    before, after = floor(moment, DAY), ceiling(moment, DAY)
    return before if moment - before <= after - moment else after
