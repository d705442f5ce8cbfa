"""Roll-ups: what a settlement adds to the cells, as set-based statements.

The facts of requests (db/queries/usage_facts.py) are summed to the finest cells of each `Level`,
those to the cells of its tables. The audit sums a day's raw rows by the same statements and
compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.models.rollup import CHUNK, COUNTS
from db.queries.usage_facts import TOKENS, gather

QUARTER, HOUR, SIX_HOURS, DAY = 15, 60, 360, 1440
"""Grains of time, in minutes."""
VISIT_GRAINS, VISITOR_GRAINS = (DAY, HOUR), (DAY, SIX_HOURS, HOUR, QUARTER)
"""Bitmaps cannot be taken from each other: a day that is not of UTC is put together from these."""

SUMS = COUNTS
HISTOGRAMS = ("latency", "first_token")
_VALUES = (*SUMS, *HISTOGRAMS)


@dataclass(frozen=True, slots=True)
class Cells:
    """A table of cells: its keys, and the statement that sums the `fresh` ones of its level."""

    table: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    summed: str
    merge: str = "+"

    @property
    def add(self) -> str:
        """Add what is summed to the table, in the order of its keys."""
        columns, keys = ", ".join((*self.keys, *self.values)), ", ".join(self.keys)
        merged = ", ".join(
            f"{name} = {self.table}.{name} {self.merge} excluded.{name}" for name in self.values
        )
        return f"""
            INSERT INTO {self.table} ({columns})
            SELECT {columns} FROM ({self.summed}) summed ORDER BY {keys}
            ON CONFLICT ({keys}) DO UPDATE SET {merged}
        """


@dataclass(frozen=True, slots=True)
class Level:
    """Tables of cells that are sums of the same `finest` ones.

    Those alone are made from `usage_facts`, of which there are as many as requests; of cells there
    are few.
    """

    finest: str
    cells: tuple[Cells, ...]

    @property
    def add(self) -> str:
        """Add the facts to all tables."""
        *others, last = self.cells
        parts = [f"fresh AS MATERIALIZED ({self.finest})"]
        parts += (f"{each.table}_added AS ({each.add})" for each in others)
        return f"WITH {', '.join(parts)} {last.add}"

    def aggregate(self, cells: Cells) -> str:
        """What the facts add to one of the tables."""
        return f"WITH fresh AS MATERIALIZED ({self.finest}) {cells.summed}"


_HOUR = f"date_bin('{HOUR} minutes', quarter, 'epoch')"
_FINE = ("fine_latency", "fine_first_token")


def _finest(*by: str, histograms: tuple[str, str] = HISTOGRAMS, start: str = "quarter") -> str:
    """From facts: by `start`, and by more."""
    named = ", ".join(f"sum({name})::int8 AS {name}" for name in ("errors", "priced", *TOKENS))
    packed = ", ".join(
        f"coalesce(sum({fact}), 0) AS {name}"
        for name, fact in zip(HISTOGRAMS, histograms, strict=True)
    )
    return f"""
        SELECT {start} AS start, {", ".join(by)}, count(*) AS requests, {named},
            sum(cost)::int8 AS cost,
            coalesce(sum(cost) FILTER (WHERE byok), 0)::int8 AS shadow_cost, {packed}
        FROM usage_facts GROUP BY {", ".join(by)}, {start}
    """


_ADDED = ", ".join(
    (
        *(f"sum({name})::int8 AS {name}" for name in SUMS),
        *(f"sum({name}) AS {name}" for name in HISTOGRAMS),
    )
)


def _at(*grains: int) -> str:
    """Each of the finest once for every grain."""
    starts = (f"({n}::int2, date_bin('{n} minutes', fresh.start, 'epoch'))" for n in grains)
    return f"CROSS JOIN LATERAL (VALUES {', '.join(starts)}) AS at (grain, start)"


def _times(table: str, *by: str) -> Cells:
    grouped = ", ".join(("at.grain", "at.start", *by))
    summed = f"SELECT {grouped}, {_ADDED} FROM fresh {_at(QUARTER, HOUR, DAY)} GROUP BY {grouped}"
    return Cells(table, ("grain", "start", *by), _VALUES, summed)


def _people(table: str, grains: Sequence[int], *by: str) -> Cells:
    keys = ("grain", "start", *by, "chunk")
    grouped = ", ".join(("at.grain", "at.start", *by, "chunk"))
    summed = f"SELECT {grouped}, bit_or(people) AS people FROM fresh {_at(*grains)}"
    return Cells(table, keys, ("people",), f"{summed} GROUP BY {grouped}", merge="|")


_OUTCOME = ("status", "byok")


def _hours(table: str, *by: str) -> Cells:
    keys = ("start", *by, *_OUTCOME)
    grouped = ", ".join(keys)
    return Cells(table, keys, _VALUES, f"SELECT {grouped}, {_ADDED} FROM fresh GROUP BY {grouped}")


def _days(table: str, *by: str) -> Cells:
    named = ", ".join((*by, *_OUTCOME))
    day = "(start AT TIME ZONE 'UTC')::date"
    summed = f"SELECT {day} AS day, {named}, {_ADDED} FROM fresh GROUP BY {day}, {named}"
    return Cells(table, ("day", *by, *_OUTCOME), _VALUES, summed)


def _finest_itself(table: str, start: str, *by: str) -> Cells:
    """A table of the finest cells, whose beginning it calls `start`."""
    keys = (*by, *_OUTCOME)
    summed = f"SELECT start AS {start}, {', '.join((*keys, *_VALUES))} FROM fresh"
    return Cells(table, (start, *keys), _VALUES, summed)


_PROVIDER = ("provider_id", "provider_slug")
_BY_TIME = (*_PROVIDER, *_OUTCOME, "error_class")
_PAIR = ("organization_id", *_PROVIDER)

LEVELS = (
    Level(
        _finest(*_BY_TIME, histograms=_FINE),
        (_times("usage_times", *_BY_TIME), _times("usage_totals")),
    ),
    Level(
        _finest("served_id", *_OUTCOME, start=_HOUR),
        (
            _finest_itself("usage_served_hours", "start", "served_id"),
            _days("usage_served_days", "served_id"),
        ),
    ),
    Level(
        _finest("caller_id", *_OUTCOME, start="day"),
        (_finest_itself("usage_caller_days", "day", "caller_id"),),
    ),
    Level(
        _finest(*_PAIR, *_OUTCOME, start=_HOUR),
        (
            _hours("usage_organization_hours", "organization_id"),
            _days("usage_organization_days", "organization_id"),
            _days("usage_pair_days", *_PAIR),
        ),
    ),
    Level(
        f"""
            SELECT quarter AS start, {", ".join(_PROVIDER)}, person / {CHUNK} AS chunk,
                bit_or(set_bit(0::bit({CHUNK}), person % {CHUNK}, 1)) AS people
            FROM usage_facts GROUP BY 1, 2, 3, 4
        """,
        (
            _people("usage_visits", VISIT_GRAINS, *_PROVIDER),
            _people("usage_visitors", VISITOR_GRAINS),
        ),
    ),
)


_SORTED = "SET LOCAL enable_hashagg = off"
"""A sum of histograms has kilobytes: one group after another keeps it in the processor's cache."""


async def roll_up(driver: Any, source: str, rows: int) -> None:
    """Add the `rows` of `source` to every cell they belong to.

    Settlements hold one lock until they commit, so no two of them add at once.
    """
    await gather(driver, source, rows)
    await driver.execute(";".join((_SORTED, *(level.add for level in LEVELS))))
