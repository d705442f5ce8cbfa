"""The facts of finished requests: one row each, its keys looked up, with its histograms.

Roll-ups (db/queries/rollup.py) aggregate them; what came for the first time gets its number here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from db.histogram import COARSE, FINE, one_sql
from db.models.rollup import COUNTS

NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"

NOT_ANSWERED = ("ERROR", "CUT", "RECOVERED", "UNKNOWN")
"""Statuses of requests that did not get the whole answer, except where the client left."""

_NOT_ANSWERED = ", ".join(f"'{status}'" for status in NOT_ANSWERED)

MOMENT = (
    "'epoch'::timestamptz + ('x' || encode(substring(uuid_send(u.id) for 6), 'hex'))::bit(48)"
    "::bigint * interval '1 millisecond'"
)
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

TOKENS = COUNTS[3:8]
_NEW = ("model_id", "model_name", "user_id", "api_key_id")
"""Kept for what came for the first time."""

CREATE = """
    CREATE TEMP TABLE IF NOT EXISTS usage_facts (
        served_id int, caller_id int, person int, errors int, priced int, day date,
        quarter timestamptz, input_tokens int8, cached_tokens int8, cache_write_tokens int8,
        output_tokens int8, reasoning_tokens int8, cost int8,
        organization_id uuid, provider_id uuid, byok bool,
        status text, provider_slug text, error_class text,
        latency numeric, first_token numeric, fine_latency numeric, fine_first_token numeric,
        model_id uuid, model_name text, user_id uuid, api_key_id uuid
    ) ON COMMIT DELETE ROWS
"""
"""What is read most and is as long in every row comes first: it is found without a search."""


_SERVED_KEYS = ("model_id", "provider_id", "provider_slug", "model_name")
_CALLER_KEYS = ("user_id", "organization_id", "api_key_id")


def _equal(alias: str, names: Sequence[str], values: Mapping[str, str]) -> str:
    return " AND ".join(f"{alias}.{name} = {values[name]}" for name in names)


def _histograms(bits: int) -> str:
    return ", ".join(
        f"CASE WHEN m.{name} IS NOT NULL THEN {one_sql(f'm.{name}', bits)} END"
        for name in ("answered_ms", "first_ms")
    )


_FILL = f"""
    INSERT INTO usage_facts
    SELECT s.id, c.id, c.person, {ROW["errors"]}, {ROW["priced"]},
        (m.moment AT TIME ZONE 'UTC')::date, date_bin('15 minutes', m.moment, 'epoch'),
        {", ".join(f"u.{name}" for name in TOKENS)}, {ROW["cost"]},
        {ROW["organization_id"]}, {ROW["provider_id"]}, {ROW["byok"]},
        u.status, {ROW["provider_slug"]}, {ROW["error_class"]},
        {_histograms(COARSE)}, {_histograms(FINE)},
        {", ".join(ROW[name] for name in _NEW)}
    FROM {{source}} u
    LEFT JOIN usage_served s ON {_equal("s", _SERVED_KEYS, ROW)}
    LEFT JOIN usage_callers c ON {_equal("c", _CALLER_KEYS, ROW)}
    CROSS JOIN LATERAL (
        SELECT {MOMENT} AS moment,
            {ROW["answered_ms"]} AS answered_ms, {ROW["first_ms"]} AS first_ms
    ) m
"""

_MANY = 5_000
_ONE_BY_ONE = (
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; {fill};"
    "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on"
)
"""The keys of a few rows are looked up one by one: to read all keys there are costs more."""

_UNKNOWN = """
    SELECT EXISTS (SELECT FROM usage_facts WHERE served_id IS NULL OR person IS NULL)
"""

_FACT = {name: f"f.{name}" for name in (*_SERVED_KEYS, *_CALLER_KEYS)}
_INTRODUCE = (
    f"""
        INSERT INTO usage_served ({", ".join(_SERVED_KEYS)})
        SELECT DISTINCT {", ".join(_SERVED_KEYS)} FROM usage_facts WHERE served_id IS NULL
    """,
    """
        INSERT INTO usage_people (user_id, ordinal)
        SELECT user_id, (SELECT coalesce(max(ordinal), -1) FROM usage_people)
            + row_number() OVER (ORDER BY user_id)
        FROM (
            SELECT user_id FROM usage_facts WHERE person IS NULL
            EXCEPT SELECT user_id FROM usage_people
        ) fresh
    """,
    f"""
        INSERT INTO usage_callers ({", ".join(_CALLER_KEYS)}, person)
        SELECT DISTINCT {", ".join(f"f.{name}" for name in _CALLER_KEYS)}, p.ordinal
        FROM usage_facts f JOIN usage_people p USING (user_id) WHERE f.caller_id IS NULL
    """,
    """
        UPDATE usage_callers c SET person = p.ordinal FROM usage_facts f, usage_people p
        WHERE f.person IS NULL AND c.id = f.caller_id AND p.user_id = c.user_id
    """,
    f"""
        UPDATE usage_facts f SET served_id = s.id FROM usage_served s
        WHERE f.served_id IS NULL AND {_equal("s", _SERVED_KEYS, _FACT)}
    """,
    f"""
        UPDATE usage_facts f SET caller_id = c.id, person = c.person FROM usage_callers c
        WHERE f.person IS NULL AND {_equal("c", _CALLER_KEYS, _FACT)}
    """,
)
"""What came for the first time gets its number, and the facts that lack one are completed."""


async def gather(driver: Any, source: str, rows: int = _MANY) -> None:
    """Fill `usage_facts`, which this transaction empties at its end, from `rows` of `source`."""
    fill = _FILL.format(source=source)
    await driver.execute(f"{CREATE}; {fill if rows >= _MANY else _ONE_BY_ONE.format(fill=fill)}")
    if await driver.fetchval(_UNKNOWN):
        await driver.execute(";".join(_INTRODUCE))
