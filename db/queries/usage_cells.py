"""Sums over finished requests from cells, with raw rows where a span cuts through one: the SQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from db.histogram import FINE
from db.models.rollup import CHUNK
from db.queries.rollup import ROW, SUMS
from db.queries.usage import UsageQuery
from db.queries.usage_families import CALLERS, NO_GROUP, RAW_GROUPS, TIMES, Family, Groups
from db.queries.usage_pieces import DayPieces, Edge, Pieces
from db.queries.usage_statement import Made, Statement, cell_sums, raw_sums

_TOTALED = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
TOTALED = f"{_TOTALED}, sum(latency)::text AS latency, sum(first_token)::text AS first_token"


def of_times(
    query: UsageQuery,
    found: Pieces,
    dimension: str | None,
    *,
    histograms: bool,
    whole: bool = False,
) -> Made:
    """Rows of place, id, name and the sums, from cells of time; with the `whole` of each place as
    well, whose id and name are NULL."""
    made = Statement()
    id, name = NO_GROUP if dimension is None else TIMES.groups[dimension]
    legs = [
        f"SELECT p.place, {id} AS id, {name} AS name, {cell_sums(histograms=histograms)}"
        f" FROM {made.pieces(found, 'usage_times')}"
        f" WHERE true{made.narrow(query, TIMES.filters, 'd')} GROUP BY 1, 2, 3"
    ]
    legs += _edges(made, query, found.edges, dimension, FINE, histograms=histograms)
    grouped = "GROUPING SETS ((place, id, name), (place))" if whole else "place, id, name"
    return made.text(
        f"SELECT place, id, name, {TOTALED} FROM ({' UNION ALL '.join(legs)}) legs"
        f" GROUP BY {grouped}"
    )


def of_days(
    family: Family,
    query: UsageQuery,
    spans: Sequence[tuple[int, DayPieces]],
    dimension: str | None,
    *,
    histograms: bool,
    within: Groups | None = None,
) -> Made:
    """Rows of place, id, name and the sums, from daily cells, of the groups `within`."""
    made = Statement()
    id, name = NO_GROUP if dimension is None else family.groups[dimension]
    only, raw_only = _within(made, within, (id, name), dimension)
    legs = []
    for place, days in spans:
        legs.append(
            f"SELECT {place} AS place, {id} AS id, {name} AS name,"
            f" {cell_sums(histograms=histograms)} FROM {family.table} {family.join}"
            f" WHERE {made.days(days)}{only}{made.narrow(query, family.filters, 'd')} GROUP BY 2, 3"
        )
        legs += _edges(
            made, query, days.edges, dimension, family.bits, histograms=histograms, only=raw_only
        )
    return made.text(
        f"SELECT place, id, name, {TOTALED} FROM ({' UNION ALL '.join(legs)}) legs"
        " GROUP BY place, id, name HAVING sum(requests) > 0"
    )


def dearest(
    family: Family,
    query: UsageQuery,
    days: DayPieces,
    dimension: str,
    first: int,
    within: Groups | None = None,
) -> Made:
    """Rows of id, name, cost and requests: the `first` groups that cost most."""
    made = Statement()
    id, name = family.groups[dimension]
    only, raw_only = _within(made, within, (id, name), dimension)
    legs = [
        f"SELECT {id} AS id, {name} AS name, sum(d.cost) AS cost, sum(d.requests) AS requests"
        f" FROM {family.table} {family.join}"
        f" WHERE {made.days(days)}{only}{made.narrow(query, family.filters, 'd')} GROUP BY 1, 2"
    ]
    id, name = RAW_GROUPS[dimension]
    for each in days.edges:
        sums = f"{each.sign} * sum({ROW['cost']}), {each.sign} * count(*)"
        legs.append(
            made.edge(
                each, query, f"{id} AS id, {name} AS name, {sums}", f"{raw_only} GROUP BY 1, 2"
            )
        )
    ranked = legs[0]
    if days.edges:
        ranked = (
            "SELECT id, name, sum(cost) AS cost, sum(requests) AS requests"
            f" FROM ({' UNION ALL '.join(legs)}) legs GROUP BY id, name HAVING sum(requests) > 0"
        )
    return made.text(f"{ranked} ORDER BY cost DESC, requests DESC, id, name LIMIT {first}")


def _edges(
    made: Statement,
    query: UsageQuery,
    edges: Sequence[Edge],
    dimension: str | None,
    bits: int,
    *,
    histograms: bool,
    only: str = "",
) -> list[str]:
    id, name = NO_GROUP if dimension is None else RAW_GROUPS[dimension]
    return [
        made.edge(
            each,
            query,
            f"{each.place} AS place, {id} AS id, {name} AS name,"
            f" {raw_sums(each.sign, bits, histograms=histograms)}",
            f"{only} GROUP BY 2, 3",
        )
        for each in edges
    ]


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


def visits(
    query: UsageQuery, found: Pieces, dimension: str | None, top: Groups | None = None
) -> Made:
    """Rows of place, id, name and how many people came, from bitmaps; id and name are NULL for
    all that are not among the `top`."""
    made = Statement()
    id, name = NO_GROUP if dimension is None else ("d.provider_id", "d.provider_slug")
    legs = [
        f"SELECT p.place, {id} AS id, {name} AS name, d.chunk, bit_or(d.people) AS people"
        f" FROM {made.pieces(found, 'usage_visits')}"
        f" WHERE true{made.narrow(query, TIMES.filters, 'd')} GROUP BY 1, 2, 3, 4"
    ]
    if found.edges:
        id, name = NO_GROUP if dimension is None else RAW_GROUPS["PROVIDER"]
        rows = made.edges(found.edges, query, f"{id} AS id, {name} AS name, u.user_id")
        legs.append(
            f"SELECT place, id, name, p.ordinal / {CHUNK},"
            f" bit_or(set_bit(0::bit({CHUNK}), p.ordinal % {CHUNK}, 1))"
            f" FROM (SELECT DISTINCT place, id, name, user_id FROM {rows}) came"
            " JOIN usage_people p USING (user_id) GROUP BY 1, 2, 3, 4"
        )
    return made.text(
        "SELECT place, id, name, sum(bit_count(people))::int8 AS users FROM ("
        f"SELECT place, {made.topped(top)}, chunk, bit_or(people) AS people"
        f" FROM ({' UNION ALL '.join(legs)}) legs GROUP BY 1, 2, 3, 4"
        ") chunks GROUP BY place, id, name"
    )


def callers(
    query: UsageQuery, days: DayPieces, dimension: str | None, top: Groups | None = None
) -> Made:
    """The same without places, from the daily cells of callers; `days` unsigned."""
    made = Statement()
    id, name = NO_GROUP if dimension is None else CALLERS.groups[dimension]
    legs = [
        f"SELECT {id} AS id, {name} AS name, k.user_id FROM {CALLERS.table} {CALLERS.join}"
        f" WHERE {made.days(days)}{made.narrow(query, CALLERS.filters, 'd')}"
    ]
    id, name = NO_GROUP if dimension is None else RAW_GROUPS[dimension]
    legs += [
        made.edge(each, query, f"{id} AS id, {name} AS name, u.user_id") for each in days.edges
    ]
    return made.text(
        f"SELECT {made.topped(top)}, count(DISTINCT user_id) AS users"
        f" FROM ({' UNION ALL '.join(legs)}) legs GROUP BY 1, 2"
    )


def span_of(query: UsageQuery, now: datetime) -> tuple[datetime, datetime]:
    """The span of a question about sums; one without an end goes on through today."""
    if query.since is None:
        raise TypeError("Sums have a beginning.")
    return query.since, now + timedelta(days=1) if query.until is None else query.until
