"""Sums over finished requests from the daily cells of one family: the SQL.

Hours, and raw rows, where a span cuts through a day.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from db.queries.rollup import DAY, HOUR
from db.queries.usage import UsageQuery
from db.queries.usage_cells import TOTALED, shared
from db.queries.usage_facts import ROW
from db.queries.usage_families import NO_GROUP, RAW_GROUPS, Family, Groups
from db.queries.usage_pieces import DayPieces, Edge, hours_of
from db.queries.usage_segments import Segments
from db.queries.usage_statement import Made, Statement, cell_sums, raw_sums


class _Measures(NamedTuple):
    """What is summed, by the sign it is taken with: of cells `d` and of raw rows `u`."""

    cells: Callable[[int], str]
    raw: Callable[[int], str]


_DEAR = _Measures(
    lambda sign: f"{sign} * sum(d.cost) AS cost, {sign} * sum(d.requests) AS requests",
    lambda sign: f"{sign} * sum({ROW['cost']}) AS cost, {sign} * count(*) AS requests",
)


def _all(bits: int, *, histograms: bool) -> _Measures:
    return _Measures(
        lambda sign: cell_sums(sign, histograms=histograms),
        lambda sign: raw_sums(sign, bits, histograms=histograms),
    )


def of_days(
    family: Family,
    query: UsageQuery,
    days: DayPieces,
    dimension: str | None,
    *,
    histograms: bool,
    within: Groups | None = None,
) -> Made:
    """Rows of id, name and the sums, of the groups `within`."""
    made = Statement()
    measures = _all(family.bits, histograms=histograms)
    legs = _legs(made, family, query, days, dimension, measures, within)
    return made.text(
        f"SELECT id, name, {TOTALED} FROM ({' UNION ALL '.join(legs)}) legs"
        " GROUP BY id, name HAVING sum(requests) > 0"
    )


def dearest(family: Family, query: UsageQuery, days: DayPieces, dimension: str, first: int) -> Made:
    """Rows of id, name, cost and requests: the `first` groups that cost most."""
    made = Statement()
    legs = _legs(made, family, query, days, dimension, _DEAR)
    ranked = legs[0]
    if len(legs) > 1:
        ranked = (
            "SELECT id, name, sum(cost) AS cost, sum(requests) AS requests"
            f" FROM ({' UNION ALL '.join(legs)}) legs GROUP BY id, name HAVING sum(requests) > 0"
        )
    return made.text(f"{ranked} ORDER BY cost DESC, requests DESC, id, name LIMIT {first}")


def _legs(
    made: Statement,
    family: Family,
    query: UsageQuery,
    days: DayPieces,
    dimension: str | None,
    measures: _Measures,
    within: Groups | None = None,
) -> list[str]:
    id, name = NO_GROUP if dimension is None else family.groups[dimension]
    only, raw_only = _within(made, within, (id, name), dimension)
    only += made.narrow(query, family.filters, "d")
    group = f"SELECT {id} AS id, {name} AS name"
    legs = [
        f"{group}, {measures.cells(1)} FROM {family.table} {family.join}"
        f" WHERE {made.days(days)}{only} GROUP BY 1, 2"
    ]
    edges: Sequence[Edge] = days.edges
    if family.hours is not None:
        hours, edges = hours_of(edges)
        legs += (
            f"{group}, {measures.cells(sign)} FROM {family.hours} {family.join}"
            f" WHERE d.start = ANY({made.bind(starts, 'timestamptz[]')}){only} GROUP BY 1, 2"
            for sign, starts in hours
        )
    id, name = NO_GROUP if dimension is None else RAW_GROUPS[dimension]
    for each in edges:
        columns = f"{id} AS id, {name} AS name, {measures.raw(each.sign)}"
        legs.append(made.edge(each, query, columns, f"{raw_only} GROUP BY 1, 2"))
    return legs


def grains_of(family: Family) -> Sequence[int]:
    """Of the cells that a series is put together from."""
    return (DAY,) if family.hours is None else (DAY, HOUR)


def of_segments(family: Family, query: UsageQuery, found: Segments, *, histograms: bool) -> Made:
    """Rows of place and the sums, from the segments that the places share."""
    made = Statement()
    days = [(place, at.date()) for place, at in found.pieces.starts(DAY)]
    sums = cell_sums(histograms=histograms)
    legs = [
        f"SELECT p.place AS segment, {sums} FROM {made.moments(days, 'date[]')}"
        f" JOIN {family.table} ON d.day = p.moment {family.join}"
        f" WHERE true{made.narrow(query, family.filters, 'd')} GROUP BY 1"
    ]
    hours = found.pieces.starts(HOUR)
    if hours:
        legs.append(
            f"SELECT p.place AS segment, {sums} FROM {made.moments(hours, 'timestamptz[]')}"
            f" JOIN {family.hours} ON d.start = p.moment {family.join}"
            f" WHERE true{made.narrow(query, family.filters, 'd')} GROUP BY 1"
        )
    legs += (
        f"SELECT e.place AS segment, {raw_sums(1, family.bits, histograms=histograms)}"
        f" FROM {rows} GROUP BY 1"
        for rows in made.edges(found.pieces.edges, query)
    )
    return shared(made, found, legs)


def _within(
    made: Statement, within: Groups | None, group: tuple[str, str], dimension: str | None
) -> tuple[str, str]:
    """The groups a statement is narrowed to: on cells, and on raw rows."""
    if within is None or dimension is None:
        return "", ""
    arrays = made.groups(within)
    ids = made.bind([id for id, _ in within], "uuid[]")
    found = []
    for id, name in (group, RAW_GROUPS[dimension]):
        among = f" AND {id} = ANY({ids})"
        if name != "''":
            among += f" AND ({id}, {name}) IN (SELECT * FROM unnest({arrays}))"
        found.append(among)
    return found[0], found[1]
