"""How a span of time is put together from cells, and from raw rows at its edges. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from db.queries.rollup import DAY, HOUR, QUARTER

GRAINS = (DAY, HOUR, QUARTER)
"""Of cells that are kept from a quarter of an hour on; the coarsest first."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_DAY = timedelta(hours=12)


class Piece(NamedTuple):
    """Cells of one grain that begin in [start, end), for the span in that place."""

    place: int
    grain: int
    start: datetime
    end: datetime

    @property
    def starts(self) -> Iterator[datetime]:
        """Where each of its cells begins."""
        at = self.start
        while at < self.end:
            yield at
            at += timedelta(minutes=self.grain)


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

    def starts(self, grain: int) -> list[tuple[int, datetime]]:
        """Place and beginning of every cell of a grain."""
        return [
            (each.place, at) for each in self.cells if each.grain == grain for at in each.starts
        ]

    @property
    def raw(self) -> timedelta:
        """How much time is read from raw rows."""
        return sum((edge.end - edge.start for edge in self.edges), timedelta())

    def add(self, place: int, start: datetime, end: datetime, grains: Sequence[int]) -> None:
        """Another span: the coarsest cells that fit, and raw rows finer than the finest."""
        first, last = ceiling(start, grains[-1]), floor(end, grains[-1])
        if first > last:
            self.edges.append(Edge(place, 1, start, end))
            return
        if start < first:
            self.edges.append(Edge(place, 1, start, first))
        if last < end:
            self.edges.append(Edge(place, 1, last, end))
        self.cells += (Piece(place, *each) for each in _cells(first, last, grains))


@dataclass(slots=True)
class DayPieces:
    """Whole UTC days from `first` up to `end`, and what must be added to or taken from them."""

    first: date
    end: date
    edges: list[Edge]


def hours_of(edges: Sequence[Edge]) -> tuple[list[tuple[int, list[datetime]]], list[Edge]]:
    """The whole hours of edges, with their signs, and what is left at both ends of each."""
    hours, rest = [], []
    for edge in edges:
        found = Pieces()
        found.add(edge.place, edge.start, edge.end, (HOUR,))
        hours.append((edge.sign, [at for _, at in found.starts(HOUR)]))
        rest += [each._replace(sign=edge.sign) for each in found.edges]
    return [each for each in hours if each[1]], rest


def spans_between(starts: Sequence[datetime], until: datetime) -> list[tuple[datetime, datetime]]:
    """Each ends where the next begins."""
    return list(zip(starts, [*starts[1:], until], strict=True))


def pieces(
    starts: Sequence[datetime], until: datetime, now: datetime, grains: Sequence[int] = GRAINS
) -> Pieces:
    """The spans from the coarsest cells that fit."""
    found = Pieces()
    for place, (start, end) in enumerate(spans_between(starts, until)):
        found.add(place, start, whole_end(end, now), grains)
    return found


def whole_end(end: datetime, now: datetime) -> datetime:
    """What begins after `now` has not happened: a span that ends then may end with its day."""
    return end if end < now else max(ceiling(end, DAY), ceiling(now, DAY))


def _cells(
    start: datetime, end: datetime, grains: Sequence[int]
) -> Iterator[tuple[int, datetime, datetime]]:
    """[start, end), which the finest grain divides, by the coarsest grains that fit."""
    if start >= end:
        return
    coarsest, *finer = grains
    first, last = ceiling(start, coarsest), floor(end, coarsest)
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
    until = whole_end(until, now)
    first, last = ceiling(since, DAY), floor(until, DAY)
    if first > last:
        return _within_a_day(since, until, place, signed=signed)
    edges = []
    if since < first:
        if signed and first - since > _HALF_DAY:
            whole = floor(since, DAY)
            edges.append(Edge(place, -1, whole, since))
            first = whole
        else:
            edges.append(Edge(place, 1, since, first))
    if last < until:
        if signed and until - last > _HALF_DAY:
            last = ceiling(until, DAY)
            edges.append(Edge(place, -1, until, last))
        else:
            edges.append(Edge(place, 1, last, until))
    return DayPieces(first.date(), last.date(), edges)


def _within_a_day(since: datetime, until: datetime, place: int, *, signed: bool) -> DayPieces:
    first, last = floor(since, DAY), ceiling(until, DAY)
    if not signed or until - since <= _HALF_DAY:
        return DayPieces(first.date(), first.date(), [Edge(place, 1, since, until)])
    edges = [Edge(place, -1, first, since), Edge(place, -1, until, last)]
    return DayPieces(first.date(), last.date(), [edge for edge in edges if edge.start < edge.end])


def floor(moment: datetime, minutes: int) -> datetime:
    moment = moment.astimezone(UTC)
    return moment - (moment - _EPOCH) % timedelta(minutes=minutes)


def ceiling(moment: datetime, minutes: int) -> datetime:
    before = floor(moment, minutes)
    return before if before == moment else before + timedelta(minutes=minutes)
