"""The facts of finished requests: one row each with its keys looked up and its coarse histograms.

Roll-ups (db/queries/rollup.py) aggregate them; what came for the first time gets its number here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from db.histogram import COARSE, one_sql
from db.models.rollup import COUNTS

NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"

NOT_ANSWERED = ("ERROR", "CUT", "RECOVERED", "UNKNOWN")
"""Statuses of requests that did not get the whole answer, except where the client left."""

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

TOKENS = COUNTS[3:8]
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
        {", ".join(f"u.{name}" for name in TOKENS)},
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


async def gather(driver: Any, source: str) -> None:
    """Fill `usage_facts`, which this transaction empties at its end, from rows of `source`."""
    await driver.execute(f"{CREATE}; {_FILL.format(source=source)}")
    if await driver.fetchval(_UNKNOWN):
        await driver.execute(";".join(_INTRODUCE))
