"""How a span of time is put together from cells, and from raw rows at its edges. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from db.queries.rollup import DAY, HOUR, QUARTER

_GRAINS = (DAY, HOUR, QUARTER)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_DAY = timedelta(hours=12)


class Piece(NamedTuple):
    """Cells of one grain that begin in [start, end), for the span in that place."""

    place: int
    grain: int
    start: datetime
    end: datetime


class Edge(NamedTuple):
    """Raw rows of [start, end); `sign` -1 takes them away from the cells."""

    place: int
    sign: int
    start: datetime
    end: datetime


@dataclass(slots=True)
class Pieces:
    """Together, with their signs, exactly the spans."""

    cells: list[Piece] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


@dataclass(slots=True)
class DayPieces:
    """Whole UTC days from `first` up to `end`, and what must be added to or taken from them."""

    first: date
    end: date
    edges: list[Edge]

    @property
    def raw(self) -> timedelta:
        """How much time is read from raw rows."""
        return sum((edge.end - edge.start for edge in self.edges), timedelta())


def spans_between(starts: Sequence[datetime], until: datetime) -> list[tuple[datetime, datetime]]:
    """Each ends where the next begins."""
    return list(zip(starts, [*starts[1:], until], strict=True))


def pieces(
    starts: Sequence[datetime], until: datetime, now: datetime, finest: int = QUARTER
) -> Pieces:
    """The spans from the coarsest cells that fit. What begins after `now` has not happened."""
    found = Pieces()
    for place, (start, end) in enumerate(spans_between(starts, until)):
        if end >= now:
            end = max(_ceiling(end, DAY), _ceiling(now, DAY))
        first, last = _ceiling(start, finest), _floor(end, finest)
        if first > last:
            found.edges.append(Edge(place, 1, start, end))
            continue
        if start < first:
            found.edges.append(Edge(place, 1, start, first))
        if last < end:
            found.edges.append(Edge(place, 1, last, end))
        grains = _GRAINS[: _GRAINS.index(finest) + 1]
        found.cells += (Piece(place, *each) for each in _cells(first, last, grains))
    return found


def _cells(
    start: datetime, end: datetime, grains: Sequence[int]
) -> Iterator[tuple[int, datetime, datetime]]:
    """[start, end), which the finest grain divides, by the coarsest grains that fit."""
    if start >= end:
        return
    coarsest, *finer = grains
    first, last = _ceiling(start, coarsest), _floor(end, coarsest)
    if not finer or first >= last:
        if finer:
            yield from _cells(start, end, finer)
        else:
            yield coarsest, start, end
        return
    yield from _cells(start, first, finer)
    yield coarsest, first, last
    yield from _cells(last, end, finer)


def day_pieces(
    since: datetime, until: datetime, now: datetime, place: int = 0, *, signed: bool = True
) -> DayPieces:
    """A span from whole days. Of a cut day the shorter part is read: kept, or taken away."""
    if until >= now:
        until = max(_ceiling(until, DAY), _ceiling(now, DAY))
    first, last = _ceiling(since, DAY), _floor(until, DAY)
    if first > last:
        return _within_a_day(since, until, place, signed=signed)
    edges = []
    if since < first:
        if signed and first - since > _HALF_DAY:
            whole = _floor(since, DAY)
            edges.append(Edge(place, -1, whole, since))
            first = whole
        else:
            edges.append(Edge(place, 1, since, first))
    if last < until:
        if signed and until - last > _HALF_DAY:
            last = _ceiling(until, DAY)
            edges.append(Edge(place, -1, until, last))
        else:
            edges.append(Edge(place, 1, last, until))
    return DayPieces(first.date(), last.date(), edges)


def _within_a_day(since: datetime, until: datetime, place: int, *, signed: bool) -> DayPieces:
    first, last = _floor(since, DAY), _ceiling(until, DAY)
    if not signed or until - since <= _HALF_DAY:
        return DayPieces(first.date(), first.date(), [Edge(place, 1, since, until)])
    edges = [Edge(place, -1, first, since), Edge(place, -1, until, last)]
    return DayPieces(first.date(), last.date(), [edge for edge in edges if edge.start < edge.end])


def _floor(moment: datetime, minutes: int) -> datetime:
    moment = moment.astimezone(UTC)
    return moment - (moment - _EPOCH) % timedelta(minutes=minutes)


def _ceiling(moment: datetime, minutes: int) -> datetime:
    floor = _floor(moment, minutes)
    return floor if floor == moment else floor + timedelta(minutes=minutes)
