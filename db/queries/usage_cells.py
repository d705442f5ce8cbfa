"""Sums over finished requests from cells, with raw rows where a span cuts through one: the SQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from db.histogram import FINE
from db.models.rollup import CHUNK
from db.queries.rollup import HISTOGRAMS, SUMS, VISIT_GRAINS, VISITOR_GRAINS
from db.queries.usage import UsageQuery
from db.queries.usage_families import CALLERS, NO_GROUP, RAW_GROUPS, TIMES, Groups
from db.queries.usage_pieces import DayPieces, Pieces
from db.queries.usage_segments import Segments
from db.queries.usage_statement import Made, Statement, cell_sums, raw_sums

_TOTALED = ", ".join(f"sum({name})::int8 AS {name}" for name in SUMS)
TOTALED = f"{_TOTALED}, sum(latency)::text AS latency, sum(first_token)::text AS first_token"
_SHARED = ", ".join(f"sum(m.sign * {name})::int8 AS {name}" for name in SUMS)
_SHARED += "".join(f", sum(m.sign * {name})::text AS {name}" for name in HISTOGRAMS)


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
        f" FROM {made.pieces(found, _times(query, dimension))}"
        f" WHERE true{made.narrow(query, TIMES.filters, 'd')} GROUP BY 1, 2, 3"
    ]
    if found.edges:
        id, name = NO_GROUP if dimension is None else RAW_GROUPS[dimension]
        legs += (
            f"SELECT e.place, {id} AS id, {name} AS name,"
            f" {raw_sums(1, FINE, histograms=histograms)} FROM {rows} GROUP BY 1, 2, 3"
            for rows in made.edges(found.edges, query)
        )
    grouped = "GROUPING SETS ((place, id, name), (place))" if whole else "place, id, name"
    return made.text(
        f"SELECT place, id, name, {TOTALED} FROM ({' UNION ALL '.join(legs)}) legs"
        f" GROUP BY {grouped}"
    )


def of_segments(query: UsageQuery, found: Segments, *, histograms: bool) -> Made:
    """Rows of place and the sums, from the segments that the places share."""
    made = Statement()
    legs = [
        f"SELECT p.place AS segment, {cell_sums(histograms=histograms)}"
        f" FROM {made.pieces(found.pieces, _times(query, None))}"
        f" WHERE true{made.narrow(query, TIMES.filters, 'd')} GROUP BY 1"
    ]
    legs += (
        f"SELECT e.place AS segment, {raw_sums(1, FINE, histograms=histograms)}"
        f" FROM {rows} GROUP BY 1"
        for rows in made.edges(found.pieces.edges, query)
    )
    return shared(made, found, legs)


def shared(made: Statement, found: Segments, legs: Sequence[str]) -> Made:
    """Rows of place and the sums, from legs with the sums of segments."""
    return made.text(
        f"SELECT m.place, {_SHARED} FROM ({' UNION ALL '.join(legs)}) legs"
        f" JOIN {made.shares(found.shares)} USING (segment) GROUP BY m.place"
    )


def visits(
    query: UsageQuery, found: Pieces, dimension: str | None, top: Groups | None = None
) -> Made:
    """Rows of place, id, name and how many people came, from bitmaps; id and name are NULL for
    all that are not among the `top`. Pieces of `grains_of`."""
    made = Statement()
    id, name = NO_GROUP if dimension is None else ("d.provider_id", "d.provider_slug")
    table = "usage_visitors" if _is_whole(query, dimension) else "usage_visits"
    legs = [
        f"SELECT p.place, {id} AS id, {name} AS name, d.chunk, bit_or(d.people) AS people"
        f" FROM {made.pieces(found, table)}"
        f" WHERE true{made.narrow(query, TIMES.filters, 'd')} GROUP BY 1, 2, 3, 4"
    ]
    if found.edges:
        id, name = NO_GROUP if dimension is None else RAW_GROUPS["PROVIDER"]
        came = f"SELECT DISTINCT e.place, {id} AS id, {name} AS name, u.user_id"
        legs += (
            f"SELECT place, id, name, p.ordinal / {CHUNK},"
            f" bit_or(set_bit(0::bit({CHUNK}), p.ordinal % {CHUNK}, 1))"
            f" FROM ({came} FROM {rows}) came"
            " JOIN usage_people p USING (user_id) GROUP BY 1, 2, 3, 4"
            for rows in made.edges(found.edges, query)
        )
    return made.text(
        "SELECT place, id, name, sum(bit_count(people))::int8 AS users FROM ("
        f"SELECT place, {made.topped(top)}, chunk, bit_or(people) AS people"
        f" FROM ({' UNION ALL '.join(legs)}) legs GROUP BY 1, 2, 3, 4"
        ") chunks GROUP BY place, id, name"
    )


def grains_of(query: UsageQuery, dimension: str | None) -> Sequence[int]:
    """Of the bitmaps that tell who came: they are finer where all are together."""
    return VISITOR_GRAINS if _is_whole(query, dimension) else VISIT_GRAINS


def _times(query: UsageQuery, dimension: str | None) -> str:
    """The table with the fewest cells that tell."""
    narrow = query.provider is not None or query.statuses is not None or query.byok is not None
    return "usage_times" if narrow or dimension is not None else "usage_totals"


def _is_whole(query: UsageQuery, dimension: str | None) -> bool:
    return dimension is None and query.provider is None


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
