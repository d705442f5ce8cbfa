"""Fills a database with usage as a busy organisation leaves it: set-based, a day at a time."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from uuid_utils.compat import uuid7

from db.queries.rollup import roll_up
from db.queries.settlement import Settlements
from db.queries.usage_row import UsageRow
from db.session import Database
from tests.usage import usage_row

PROVIDERS = 8
ORGANIZATIONS = 200
DECISION = json.dumps(
    {
        "strategy": "BALANCED",
        "candidates": [
            {"reference": f"provider/model-{n}", "score": 0.5, "cost": 123, "latency": 456}
            for n in range(8)
        ],
    }
)


@dataclass(frozen=True)
class Size:
    rows: int = 10_000_000
    days: int = 90
    models: int = 5_000
    users: int = 50_000


def _uuid(number: str, kind: str) -> str:
    return f"('{kind}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


PEOPLE = f"""
INSERT INTO organizations (id, slug, name)
SELECT {_uuid("n", "00000001")}, 'org-' || n, 'Organisation ' || n
FROM generate_series(0, {ORGANIZATIONS} - 1) n;
INSERT INTO users (id, issuer, subject, name, role)
SELECT {_uuid("n", "00000002")}, 'bench', n::text, 'Person ' || n, 'USER'
FROM generate_series(0, {{users}} - 1) n;
"""

MODELS_AND_PROVIDERS = f"""
INSERT INTO llm_providers (id, slug, name, type, base_url, options)
SELECT {_uuid("n", "00000003")}, 'provider-' || n, 'Provider ' || n, 'CUSTOM',
    'https://provider-' || n || '.example', '{{{{}}}}'
FROM generate_series(0, {PROVIDERS} - 1) n;
INSERT INTO llm_models (id, provider_id, name, canonical_name, display_name)
SELECT {_uuid("n", "00000004")}, {_uuid(f"n % {PROVIDERS}", "00000003")}, 'model-' || n,
    'model-' || n, 'Model ' || n
FROM generate_series(0, {{models}} - 1) n;
"""

DAY = f"""
INSERT INTO llm_usage_logs (
    id, batch, started_at, user_id, organization_id, api_key_id, requested_model, provider_id,
    provider_slug, model_id, model_name, input_tokens, cached_tokens, cache_write_tokens,
    output_tokens, reasoning_tokens, usage_source, cost, key_owner, latency_ms, first_token_ms,
    status, error_class, attempts, streamed
)
SELECT
    (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
    $3, to_timestamp(ms / 1000.0), {_uuid("person", "00000002")},
    {_uuid(f"person % {ORGANIZATIONS}", "00000001")}, {_uuid("person", "00000005")}, 'auto',
    {_uuid(f"model % {PROVIDERS}", "00000003")}, 'provider-' || model % {PROVIDERS},
    {_uuid("model", "00000004")}, 'model-' || model, tokens, tokens / 4, 0, tokens / 3, 0,
    'PROVIDER', CASE WHEN fate > 0.001 THEN tokens::int8 * 2500 END,
    CASE WHEN fate > 0.9 THEN 'USER' ELSE 'SYSTEM' END, latency, latency / 4,
    CASE WHEN fate < 0.02 THEN 'ERROR' WHEN fate < 0.03 THEN 'CANCELLED' ELSE 'OK' END,
    CASE WHEN fate < 0.01 THEN 'SERVER_ERROR' WHEN fate < 0.02 THEN 'TIMEOUT' END, 1, true
FROM (
    SELECT $1::int8 + (random() * ($2::int8 - $1::int8 - 1))::int8 AS ms,
        md5(random()::text || n) AS hash,
        floor({{models}} * power(random(), 4))::int AS model,
        floor({{users}} * power(random(), 3))::int AS person,
        (100 + 8000 * power(random(), 3))::int AS tokens, random() AS fate,
        (exp(6 + 2 * (random() + random() + random() - 1.5)))::int AS latency
    FROM generate_series(1, $4) n
) made
"""


def row(random: Random) -> UsageRow:
    """A request that has just ended, by somebody and something of the seed."""
    at, size = datetime.now(UTC), Size()
    model = int(size.models * random.random() ** 4)
    person = int(size.users * random.random() ** 3)
    tokens, latency = random.randrange(100, 8_000), int(random.lognormvariate(6, 0.7))
    return usage_row(
        id=uuid7(),
        started_at=at,
        user_id=key(person, 2),
        organization_id=key(person % ORGANIZATIONS, 1),
        api_key_id=key(person, 5),
        provider_id=key(model % PROVIDERS, 3),
        provider_slug=f"provider-{model % PROVIDERS}",
        model_id=key(model, 4),
        model_name=f"model-{model}",
        input_tokens=tokens,
        cached_tokens=tokens // 4,
        output_tokens=tokens // 3,
        cost=tokens * 2_500,
        latency_ms=latency,
        first_token_ms=latency // 4,
        decision=DECISION,
    )


def key(number: int, kind: int) -> uuid.UUID:
    return uuid.UUID(f"{kind:08}-0000-7000-8000-{number:012x}")


async def seed(database: Database, size: Size, say: Callable[[str], None]) -> None:
    """Rows over the last days up to now, rolled up by the product's own statements."""
    settlements = Settlements(database)
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=n) for n in reversed(range(size.days))]
    await settlements.make_partitions(set(days))
    raw = database.engine
    async with raw.begin() as connection:
        for statement in _statements(size):
            if statement.strip():
                await connection.exec_driver_sql(statement)
    started = time.monotonic()
    for number, day in enumerate(days, 1):
        async with raw.begin() as connection:
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await _seed_day(driver, size, day, number)
        if number % 10 == 0:
            say(f"  {number} of {size.days} days, {time.monotonic() - started:.0f} s")
    async with raw.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.exec_driver_sql("SET statement_timeout = 0")
        await autocommit.exec_driver_sql("VACUUM ANALYZE")


def _statements(size: Size) -> list[str]:
    models = MODELS_AND_PROVIDERS.format(models=size.models)
    return (PEOPLE.format(users=size.users) + models).split(";\n")


async def _seed_day(driver: Any, size: Size, day: date, number: int) -> None:
    first = datetime.combine(day, datetime.min.time(), UTC)
    end = min(first + timedelta(days=1), datetime.now(UTC))
    span = (int(first.timestamp() * 1000), int(end.timestamp() * 1000))
    rows = size.rows // size.days
    await driver.execute(
        DAY.format(models=size.models, users=size.users), *span, number, rows, timeout=600
    )
    await roll_up(driver, f"llm_usage_logs_{day:%Y%m%d}", rows)
    await driver.execute(
        "INSERT INTO settlement_batches (number, at, rows, cost) SELECT $1, now(), count(*),"
        f" coalesce(sum(cost), 0) FROM llm_usage_logs_{day:%Y%m%d}",
        number,
    )
