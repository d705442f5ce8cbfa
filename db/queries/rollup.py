"""Roll-ups: what a settlement adds to the cells, as set-based statements in the order of keys.

`gather` turns rows of `llm_usage_logs` (or of the staging table) into `usage_facts`, one row a
request with its keys looked up and its coarse histograms; each `Cells` aggregates the facts, and
is added to its table. The audit aggregates a day's raw rows by the same statements and compares.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.histogram import COARSE, FINE, one_sql, packed_sql
from db.models.rollup import CHUNK, COUNTS

QUARTER, HOUR, DAY = 15, 60, 1440
"""Grains of time, in minutes."""

NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"

NOT_ANSWERED = ("ERROR", "CUT", "RECOVERED", "UNKNOWN")
"""Statuses of requests that did not get the whole answer, except where the client left."""

SUMS = COUNTS
HISTOGRAMS = ("latency", "first_token")

_NOT_ANSWERED = ", ".join(f"'{status}'" for status in NOT_ANSWERED)

MOMENT = "to_timestamp(('x' || left(replace(u.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)"
"""When a row of `llm_usage_logs u` belongs to, from its key."""

ROW = {
    "provider_id": f"coalesce(u.provider_id, {NOBODY})",
    "provider_slug": "left(coalesce(u.provider_slug, ''), 200)",
    "model_id": f"coalesce(u.model_id, {NOBODY})",
    "model_name": "left(coalesce(u.model_name, ''), 200)",
    "organization_id": f"coalesce(u.organization_id, {NOBODY})",
    "api_key_id": f"coalesce(u.api_key_id, {NOBODY})",
    "user_id": "u.user_id",
    "status": "u.status",
    "byok": "coalesce(u.key_owner IN ('USER', 'ORGANIZATION'), false)",
    "error_class": "left(coalesce(u.error_class, ''), 200)",
    "errors": f"(u.status IN ({_NOT_ANSWERED}))::int",
    "priced": "(u.cost IS NOT NULL)::int",
    "cost": "coalesce(u.cost, 0)",
    "answered_ms": "CASE u.status WHEN 'OK' THEN u.latency_ms END",
    "first_ms": "CASE u.status WHEN 'OK' THEN u.first_token_ms END",
}
"""Keys and measures of one raw row, in SQL; names are cut to what an index can hold."""

_TOKENS = SUMS[3:8]
_DIMENSIONS = (
    "provider_id",
    "provider_slug",
    "model_id",
    "model_name",
    "user_id",
    "organization_id",
    "api_key_id",
)

CREATE = """
    CREATE TEMP TABLE IF NOT EXISTS usage_facts (
        quarter timestamptz, day date, provider_id uuid, provider_slug text, model_id uuid,
        model_name text, user_id uuid, organization_id uuid, api_key_id uuid,
        served_id int, caller_id int, person int,
        status text, byok bool, error_class text, errors int, priced int,
        input_tokens int8, cached_tokens int8, cache_write_tokens int8,
        output_tokens int8, reasoning_tokens int8, cost int8, answered_ms int, first_ms int,
        latency numeric, first_token numeric
    ) ON COMMIT DELETE ROWS
"""


_SERVED_KEYS = ("model_id", "provider_id", "provider_slug", "model_name")
_CALLER_KEYS = ("user_id", "organization_id", "api_key_id")


def _equal(alias: str, names: Sequence[str], values: Mapping[str, str]) -> str:
    return " AND ".join(f"{alias}.{name} = {values[name]}" for name in names)


def _looked_up(values: Mapping[str, str]) -> Sequence[str]:
    """What served, who called and which person that is, each found by its key: LIMIT keeps
    PostgreSQL from reading all there are into a hash table."""
    served, caller = _equal("s", _SERVED_KEYS, values), _equal("c", _CALLER_KEYS, values)
    return (
        f"SELECT id FROM usage_served s WHERE {served} LIMIT 1",
        f"SELECT id FROM usage_callers c WHERE {caller} LIMIT 1",
        f"SELECT ordinal FROM usage_people p WHERE p.user_id = {values['user_id']} LIMIT 1",
    )


_SERVED, _CALLER, _PERSON = _looked_up(ROW)
_FILL = f"""
    INSERT INTO usage_facts
    SELECT date_bin('15 minutes', m.moment, 'epoch'), (m.moment AT TIME ZONE 'UTC')::date,
        {", ".join(ROW[name] for name in _DIMENSIONS)},
        s.id, c.id, p.ordinal, u.status,
        {ROW["byok"]}, {ROW["error_class"]}, {ROW["errors"]}, {ROW["priced"]},
        {", ".join(f"u.{name}" for name in _TOKENS)},
        {ROW["cost"]}, m.answered_ms, m.first_ms,
        CASE WHEN m.answered_ms IS NOT NULL THEN {one_sql("m.answered_ms", COARSE)} END,
        CASE WHEN m.first_ms IS NOT NULL THEN {one_sql("m.first_ms", COARSE)} END
    FROM {{source}} u
    LEFT JOIN LATERAL ({_SERVED}) s ON true
    LEFT JOIN LATERAL ({_CALLER}) c ON true
    LEFT JOIN LATERAL ({_PERSON}) p ON true
    CROSS JOIN LATERAL (
        SELECT {MOMENT} AS moment,
            {ROW["answered_ms"]} AS answered_ms, {ROW["first_ms"]} AS first_ms
    ) m
"""

_UNKNOWN = """
    SELECT EXISTS (
        SELECT FROM usage_facts WHERE served_id IS NULL OR caller_id IS NULL OR person IS NULL
    )
"""

_SERVED, _CALLER, _PERSON = _looked_up({name: f"f.{name}" for name in _DIMENSIONS})
_INTRODUCE = (
    f"""
        INSERT INTO usage_served ({", ".join(_SERVED_KEYS)})
        SELECT DISTINCT {", ".join(_SERVED_KEYS)} FROM usage_facts WHERE served_id IS NULL
    """,
    f"""
        INSERT INTO usage_callers ({", ".join(_CALLER_KEYS)})
        SELECT DISTINCT {", ".join(_CALLER_KEYS)} FROM usage_facts WHERE caller_id IS NULL
    """,
    """
        INSERT INTO usage_people (user_id, ordinal)
        SELECT user_id, (SELECT coalesce(max(ordinal), -1) FROM usage_people)
            + row_number() OVER (ORDER BY user_id)
        FROM (SELECT DISTINCT user_id FROM usage_facts WHERE person IS NULL) fresh
    """,
    f"UPDATE usage_facts f SET served_id = ({_SERVED}) WHERE served_id IS NULL",
    f"""
        UPDATE usage_facts f SET caller_id = ({_CALLER}), person = ({_PERSON})
        WHERE caller_id IS NULL OR person IS NULL
    """,
)
"""What came for the first time gets its number, and the facts that lack one are completed."""


_FINE = (packed_sql("answered_ms", FINE), packed_sql("first_ms", FINE))
_COARSE = ("coalesce(sum(latency), 0)", "coalesce(sum(first_token), 0)")


def _sums(latency: str, first_token: str) -> str:
    named = ", ".join(f"sum({name})::int8 AS {name}" for name in ("errors", "priced", *_TOKENS))
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
_GRAINS = f"""
    CROSS JOIN LATERAL (VALUES
        ({QUARTER}::int2, quarter),
        ({HOUR}::int2, date_trunc('hour', quarter, 'UTC')),
        ({DAY}::int2, date_trunc('day', quarter, 'UTC'))
    ) AS at (grain, start)
"""

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
        ) quarters {_GRAINS}
        GROUP BY at.grain, at.start, {", ".join(_BY_TIME)}
    """,
)


def _days(table: str, key: str) -> Cells:
    keys = ("day", key, "status", "byok")
    grouped = ", ".join(keys)
    aggregate = f"SELECT {grouped}, {_sums(*_COARSE)} FROM usage_facts GROUP BY {grouped}"
    return Cells(table, keys, (*SUMS, *HISTOGRAMS), aggregate)


SERVED_DAYS = _days("usage_served_days", "served_id")
CALLER_DAYS = _days("usage_caller_days", "caller_id")
ORGANIZATION_DAYS = _days("usage_organization_days", "organization_id")

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
        ) hours {_GRAINS}
        WHERE at.grain > {QUARTER}
        GROUP BY at.grain, at.start, provider_id, provider_slug, chunk
    """,
    merge="|",
)

EVERY = (TIMES, SERVED_DAYS, CALLER_DAYS, ORGANIZATION_DAYS, VISITS)


_SORTED = "SET LOCAL enable_hashagg = off"
"""A sum of histograms has kilobytes: one group after another keeps it in the processor's cache."""


async def gather(driver: Any, source: str) -> None:
    """Fill `usage_facts`, which this transaction empties at its end, from rows of `source`."""
    await driver.execute(f"{CREATE}; {_FILL.format(source=source)}")
    if await driver.fetchval(_UNKNOWN):
        await driver.execute(";".join(_INTRODUCE))


async def roll_up(driver: Any, source: str) -> None:
    """Add the rows of `source` to every cell they belong to.

    Settlements hold one lock until they commit, so no two of them add at once.
    """
    await gather(driver, source)
    await driver.execute(";".join((_SORTED, *(cells.add for cells in EVERY))))
