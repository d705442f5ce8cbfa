"""Roll-ups: what a settlement adds to the cells, as set-based statements in the order of keys.

Each `Cells` aggregates the facts of requests (db/queries/usage_facts.py), and is added to its
table. The audit aggregates a day's raw rows by the same statements and compares.
"""

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

_FINE = ("coalesce(sum(fine_latency), 0)", "coalesce(sum(fine_first_token), 0)")
_COARSE = ("coalesce(sum(latency), 0)", "coalesce(sum(first_token), 0)")


def _sums(latency: str, first_token: str) -> str:
    named = ", ".join(f"sum({name})::int8 AS {name}" for name in ("errors", "priced", *TOKENS))
    return f"""
        count(*) AS requests, {named}, sum(cost)::int8 AS cost,
        coalesce(sum(cost) FILTER (WHERE byok), 0)::int8 AS shadow_cost,
        {latency} AS latency, {first_token} AS first_token
    """


@dataclass(frozen=True, slots=True)
class Cells:
    """A table of cells: its keys, and the statement that aggregates `usage_facts` for it."""

    table: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    aggregate: str
    merge: str = "+"

    @property
    def columns(self) -> str:
        return ", ".join((*self.keys, *self.values))

    @property
    def add(self) -> str:
        """Add the aggregate to the table, in the order of its keys."""
        merged = ", ".join(
            f"{name} = {self.table}.{name} {self.merge} excluded.{name}" for name in self.values
        )
        keys = ", ".join(self.keys)
        return f"""
            INSERT INTO {self.table} ({self.columns})
            SELECT {self.columns} FROM ({self.aggregate}) fresh ORDER BY {keys}
            ON CONFLICT ({keys}) DO UPDATE SET {merged}
        """


_BY_TIME = ("provider_id", "provider_slug", "status", "byok", "error_class")
_ADDED = ", ".join(f"sum({name})::int8 AS {name}" for name in SUMS)


def _at(*grains: int) -> str:
    """Each row once for every grain."""
    starts = (f"({each}::int2, date_bin('{each} minutes', quarter, 'epoch'))" for each in grains)
    return f"CROSS JOIN LATERAL (VALUES {', '.join(starts)}) AS at (grain, start)"


TIMES = Cells(
    "usage_times",
    ("grain", "start", *_BY_TIME),
    (*SUMS, *HISTOGRAMS),
    f"""
        SELECT at.grain, at.start, {", ".join(_BY_TIME)}, {_ADDED},
            sum(latency) AS latency, sum(first_token) AS first_token
        FROM (
            SELECT quarter, {", ".join(_BY_TIME)}, {_sums(*_FINE)}
            FROM usage_facts GROUP BY quarter, {", ".join(_BY_TIME)}
        ) quarters {_at(QUARTER, HOUR, DAY)}
        GROUP BY at.grain, at.start, {", ".join(_BY_TIME)}
    """,
)

TOTALS = Cells(
    "usage_totals",
    ("grain", "start"),
    (*SUMS, *HISTOGRAMS),
    f"""
        SELECT at.grain, at.start, {_ADDED},
            sum(latency) AS latency, sum(first_token) AS first_token
        FROM (SELECT quarter, {_sums(*_FINE)} FROM usage_facts GROUP BY quarter) quarters
            {_at(QUARTER, HOUR, DAY)}
        GROUP BY at.grain, at.start
    """,
)


def _days(table: str, *by: str) -> Cells:
    keys = ("day", *by, "status", "byok")
    grouped = ", ".join(keys)
    aggregate = f"SELECT {grouped}, {_sums(*_COARSE)} FROM usage_facts GROUP BY {grouped}"
    return Cells(table, keys, (*SUMS, *HISTOGRAMS), aggregate)


def _hours(table: str, key: str) -> Cells:
    keys = ("start", key, "status", "byok")
    aggregate = f"""
        SELECT date_bin('{HOUR} minutes', quarter, 'epoch') AS start, {", ".join(keys[1:])},
            {_sums(*_COARSE)}
        FROM usage_facts GROUP BY 1, 2, 3, 4
    """
    return Cells(table, keys, (*SUMS, *HISTOGRAMS), aggregate)


SERVED_DAYS = _days("usage_served_days", "served_id")
SERVED_HOURS = _hours("usage_served_hours", "served_id")
CALLER_DAYS = _days("usage_caller_days", "caller_id")
ORGANIZATION_DAYS = _days("usage_organization_days", "organization_id")
ORGANIZATION_HOURS = _hours("usage_organization_hours", "organization_id")
PAIR_DAYS = _days("usage_pair_days", "organization_id", "provider_id", "provider_slug")

VISITS = Cells(
    "usage_visits",
    ("grain", "start", "provider_id", "provider_slug", "chunk"),
    ("people",),
    f"""
        SELECT at.grain, at.start, provider_id, provider_slug, chunk, bit_or(people) AS people
        FROM (
            SELECT date_trunc('hour', quarter, 'UTC') AS quarter, provider_id, provider_slug,
                person / {CHUNK} AS chunk,
                bit_or(set_bit(0::bit({CHUNK}), person % {CHUNK}, 1)) AS people
            FROM usage_facts
            GROUP BY 1, 2, 3, 4
        ) hours {_at(*VISIT_GRAINS)}
        GROUP BY at.grain, at.start, provider_id, provider_slug, chunk
    """,
    merge="|",
)

VISITORS = Cells(
    "usage_visitors",
    ("grain", "start", "chunk"),
    ("people",),
    f"""
        SELECT at.grain, at.start, chunk, bit_or(people) AS people
        FROM (
            SELECT quarter, person / {CHUNK} AS chunk,
                bit_or(set_bit(0::bit({CHUNK}), person % {CHUNK}, 1)) AS people
            FROM usage_facts GROUP BY 1, 2
        ) quarters {_at(*VISITOR_GRAINS)}
        GROUP BY at.grain, at.start, chunk
    """,
    merge="|",
)

EVERY = (
    TIMES,
    TOTALS,
    SERVED_DAYS,
    SERVED_HOURS,
    CALLER_DAYS,
    ORGANIZATION_DAYS,
    ORGANIZATION_HOURS,
    PAIR_DAYS,
    VISITS,
    VISITORS,
)


_SORTED = "SET LOCAL enable_hashagg = off"
"""A sum of histograms has kilobytes: one group after another keeps it in the processor's cache."""


async def roll_up(driver: Any, source: str, rows: int) -> None:
    """Add the `rows` of `source` to every cell they belong to.

    Settlements hold one lock until they commit, so no two of them add at once.
    """
    await gather(driver, source, rows)
    await driver.execute(";".join((_SORTED, *(cells.add for cells in EVERY))))
