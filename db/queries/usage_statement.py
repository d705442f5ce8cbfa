"""SQL over cells and raw rows in the making: parameters, filters, legs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, text

from db.histogram import packed_sql
from db.queries.rollup import HISTOGRAMS, SUMS
from db.queries.usage import UsageQuery, first_id
from db.queries.usage_facts import ROW, TOKENS
from db.queries.usage_families import RAW_FILTERS, Groups
from db.queries.usage_pieces import DayPieces, Edge, Pieces
from db.queries.usage_segments import Share

Made = tuple[TextClause, dict[str, Any]]

_FEW = 3
"""Edges, each in a leg of its own."""


class Statement:
    """SQL text in the making, with its parameters."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def bind(self, value: Any, type_: str) -> str:
        """A new parameter."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"CAST(:{name} AS {type_})"

    def text(self, sql: str) -> tuple[TextClause, dict[str, Any]]:
        return text(sql), self.values

    def narrow(self, query: UsageQuery, columns: Mapping[str, str], row: str) -> str:
        """The query's filters on cells (`row` d) or raw rows (`row` u), each after an AND."""
        found = []
        for name, column in columns.items():
            wanted = getattr(query, name)
            if wanted is not None:
                found.append(f"{column} = {self.bind(wanted, 'uuid')}")
        reach = query.reach
        if not reach.everybody:
            own = f"{columns['user']} = {self.bind(reach.user, 'uuid')}"
            if reach.organization is not None:
                theirs = self.bind(reach.organization, "uuid")
                own = f"({own} OR {columns['organization']} = {theirs})"
            found.append(own)
        if query.statuses is not None:
            found.append(f"{row}.status = ANY({self.bind(list(query.statuses), 'text[]')})")
        if query.byok is not None:
            byok = ROW["byok"] if row == "u" else "d.byok"
            found.append(f"{byok} = {self.bind(query.byok, 'bool')}")
        return "".join(f" AND {each}" for each in found)

    def days(self, days: DayPieces) -> str:
        """The whole days of a span."""
        return f"d.day >= {self.bind(days.first, 'date')} AND d.day < {self.bind(days.end, 'date')}"

    def pieces(self, found: Pieces, table: str) -> str:
        """The cells `d` of time in each place of `p`: one range of the primary key after another,
        which OFFSET keeps PostgreSQL from taking for a join."""
        columns = [list(column) for column in zip(*found.cells, strict=True)] or [[], [], [], []]
        types = ("int4[]", "int2[]", "timestamptz[]", "timestamptz[]")
        arrays = ", ".join(self.bind(each, t) for each, t in zip(columns, types, strict=True))
        return (
            f"unnest({arrays}) p (place, grain, first, until) CROSS JOIN LATERAL (SELECT *"
            f" FROM {table} WHERE grain = p.grain AND start >= p.first AND start < p.until"
            " OFFSET 0) d"
        )

    def shares(self, shares: Sequence[Share]) -> str:
        """Who has which segment: rows of place and sign."""
        segments, places, signs = (
            self.bind(list(column), "int4[]") for column in zip(*shares, strict=True)
        )
        return f"unnest({segments}, {places}, {signs}) m (segment, place, sign)"

    def topped(self, top: Groups | None) -> str:
        """id and name, or NULL for what is not among the top."""
        if top is None:
            return "id, name"
        among = f"(id, name) IN (SELECT * FROM unnest({self.groups(top)}))"
        return f"CASE WHEN {among} THEN id END AS id, CASE WHEN {among} THEN name END AS name"

    def groups(self, groups: Groups) -> str:
        """Two arrays, of ids and of names."""
        ids = self.bind([id for id, _ in groups], "uuid[]")
        return f"{ids}, {self.bind([name for _, name in groups], 'text[]')}"

    def edge(self, edge: Edge, query: UsageQuery, columns: str, group: str = "") -> str:
        """A leg over the raw rows of an edge."""
        start = self.bind(first_id(edge.start), "uuid")
        end = self.bind(first_id(edge.end), "uuid")
        return (
            f"SELECT {columns} FROM llm_usage_logs u WHERE u.id >= {start} AND u.id < {end}"
            f"{self.narrow(query, RAW_FILTERS, 'u')} {group}"
        )

    def edges(self, edges: Sequence[Edge], query: UsageQuery) -> list[str]:
        """The raw rows `u` of edges, each with its `e.place`: in a leg for each of a few, whose
        plan then knows the partition; of many in one, one range of keys after another."""
        if len(edges) <= _FEW:
            return [
                f"(SELECT {self.bind(each.place, 'int4')} AS place) e CROSS JOIN"
                f" ({self.edge(each, query, 'u.*')}) u"
                for each in edges
            ]
        places = self.bind([each.place for each in edges], "int4[]")
        firsts = self.bind([first_id(each.start) for each in edges], "uuid[]")
        ends = self.bind([first_id(each.end) for each in edges], "uuid[]")
        return [
            f"unnest({places}, {firsts}, {ends}) e (place, first, until) CROSS JOIN LATERAL"
            " (SELECT * FROM llm_usage_logs u WHERE u.id >= e.first AND u.id < e.until"
            f"{self.narrow(query, RAW_FILTERS, 'u')} OFFSET 0) u"
        ]

    def moments(self, found: Sequence[tuple[int, Any]], type_: str) -> str:
        """Rows `p` of place and moment."""
        places = self.bind([place for place, _ in found], "int4[]")
        return f"unnest({places}, {self.bind([at for _, at in found], type_)}) p (place, moment)"


def cell_sums(sign: int = 1, *, histograms: bool) -> str:
    """The sums of cells; histograms as zero where nobody asks."""
    summed = [f"{sign} * sum(d.{name}) AS {name}" for name in SUMS]
    for name in HISTOGRAMS:
        summed.append(
            f"{sign} * sum(d.{name}) AS {name}" if histograms else f"0::numeric AS {name}"
        )
    return ", ".join(summed)


def raw_sums(sign: int, bits: int, *, histograms: bool) -> str:
    """The same of raw rows."""
    byok, cost = ROW["byok"], ROW["cost"]
    measures = {
        "requests": "count(*)",
        "errors": f"sum({ROW['errors']})",
        "priced": "count(u.cost)",
        **{name: f"sum(u.{name})" for name in TOKENS},
        "cost": f"sum({cost})",
        "shadow_cost": f"sum({cost}) FILTER (WHERE {byok})",
        "latency": packed_sql(f"({ROW['answered_ms']})", bits) if histograms else "0",
        "first_token": packed_sql(f"({ROW['first_ms']})", bits) if histograms else "0",
    }
    return ", ".join(
        f"{sign} * coalesce({sql}, 0)::numeric AS {name}" for name, sql in measures.items()
    )
