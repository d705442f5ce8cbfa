"""roll-ups of usage, filled from the rows there are

Revision ID: 91c3f0b6a2d4
Revises: b5c1a7e2d904
Create Date: 2026-11-26 21:25:00

"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "91c3f0b6a2d4"
down_revision: str | Sequence[str] | None = "b5c1a7e2d904"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What db/queries/rollup.py did when this was written: a migration does not change with the code.
_CREATE = """
    CREATE TEMP TABLE IF NOT EXISTS usage_facts ( quarter timestamptz, day date, provider_id uuid,
    provider_slug text, served_id int, caller_id int, person int, status text, byok bool,
    error_class text, errors int, priced int, input_tokens int8, cached_tokens int8,
    cache_write_tokens int8, output_tokens int8, reasoning_tokens int8, cost int8, answered_ms
    int, first_ms int ) ON COMMIT DELETE ROWS
"""
_FILL = """
    INSERT INTO usage_facts SELECT date_bin('15 minutes', m.moment, 'epoch'), (m.moment AT TIME
    ZONE 'UTC')::date, coalesce(u.provider_id, '00000000-0000-0000-0000-000000000000'::uuid),
    left(coalesce(u.provider_slug, ''), 200), s.id, c.id, p.ordinal, u.status,
    coalesce(u.key_owner IN ('USER', 'ORGANIZATION'), false), left(coalesce(u.error_class, ''),
    200), (u.status IN ('ERROR', 'CUT', 'RECOVERED', 'UNKNOWN'))::int, (u.cost IS NOT NULL)::int,
    u.input_tokens, u.cached_tokens, u.cache_write_tokens, u.output_tokens, u.reasoning_tokens,
    coalesce(u.cost, 0), CASE u.status WHEN 'OK' THEN u.latency_ms END, CASE u.status WHEN 'OK'
    THEN u.first_token_ms END FROM {source} u LEFT JOIN usage_served s ON s.model_id =
    coalesce(u.model_id, '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_id =
    coalesce(u.provider_id, '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_slug =
    left(coalesce(u.provider_slug, ''), 200) AND s.model_name = left(coalesce(u.model_name, ''),
    200) LEFT JOIN usage_callers c ON c.user_id = u.user_id AND c.organization_id =
    coalesce(u.organization_id, '00000000-0000-0000-0000-000000000000'::uuid) AND c.api_key_id =
    coalesce(u.api_key_id, '00000000-0000-0000-0000-000000000000'::uuid) LEFT JOIN usage_people p
    ON p.user_id = u.user_id CROSS JOIN LATERAL (SELECT to_timestamp(('x' ||
    left(replace(u.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AS moment) m
"""
_SERVED = """
    INSERT INTO usage_served (model_id, provider_id, provider_slug, model_name) SELECT DISTINCT
    coalesce(u.model_id, '00000000-0000-0000-0000-000000000000'::uuid), coalesce(u.provider_id,
    '00000000-0000-0000-0000-000000000000'::uuid), left(coalesce(u.provider_slug, ''), 200),
    left(coalesce(u.model_name, ''), 200) FROM {source} u LEFT JOIN usage_served s ON s.model_id =
    coalesce(u.model_id, '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_id =
    coalesce(u.provider_id, '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_slug =
    left(coalesce(u.provider_slug, ''), 200) AND s.model_name = left(coalesce(u.model_name, ''),
    200) LEFT JOIN usage_callers c ON c.user_id = u.user_id AND c.organization_id =
    coalesce(u.organization_id, '00000000-0000-0000-0000-000000000000'::uuid) AND c.api_key_id =
    coalesce(u.api_key_id, '00000000-0000-0000-0000-000000000000'::uuid) LEFT JOIN usage_people p
    ON p.user_id = u.user_id WHERE s.id IS NULL
"""
_CALLERS = """
    INSERT INTO usage_callers (user_id, organization_id, api_key_id) SELECT DISTINCT u.user_id,
    coalesce(u.organization_id, '00000000-0000-0000-0000-000000000000'::uuid),
    coalesce(u.api_key_id, '00000000-0000-0000-0000-000000000000'::uuid) FROM {source} u LEFT JOIN
    usage_served s ON s.model_id = coalesce(u.model_id,
    '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_id = coalesce(u.provider_id,
    '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_slug =
    left(coalesce(u.provider_slug, ''), 200) AND s.model_name = left(coalesce(u.model_name, ''),
    200) LEFT JOIN usage_callers c ON c.user_id = u.user_id AND c.organization_id =
    coalesce(u.organization_id, '00000000-0000-0000-0000-000000000000'::uuid) AND c.api_key_id =
    coalesce(u.api_key_id, '00000000-0000-0000-0000-000000000000'::uuid) LEFT JOIN usage_people p
    ON p.user_id = u.user_id WHERE c.id IS NULL
"""
_PEOPLE = """
    INSERT INTO usage_people (user_id, ordinal) SELECT user_id, (SELECT coalesce(max(ordinal), -1)
    FROM usage_people) + row_number() OVER (ORDER BY user_id) FROM (SELECT DISTINCT u.user_id FROM
    {source} u LEFT JOIN usage_served s ON s.model_id = coalesce(u.model_id,
    '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_id = coalesce(u.provider_id,
    '00000000-0000-0000-0000-000000000000'::uuid) AND s.provider_slug =
    left(coalesce(u.provider_slug, ''), 200) AND s.model_name = left(coalesce(u.model_name, ''),
    200) LEFT JOIN usage_callers c ON c.user_id = u.user_id AND c.organization_id =
    coalesce(u.organization_id, '00000000-0000-0000-0000-000000000000'::uuid) AND c.api_key_id =
    coalesce(u.api_key_id, '00000000-0000-0000-0000-000000000000'::uuid) LEFT JOIN usage_people p
    ON p.user_id = u.user_id WHERE p.ordinal IS NULL) fresh
"""
_USAGE_TIMES = """
    INSERT INTO usage_times (grain, start, provider_id, provider_slug, status, byok, error_class,
    requests, errors, priced, input_tokens, cached_tokens, cache_write_tokens, output_tokens,
    reasoning_tokens, cost, shadow_cost, latency, first_token) SELECT grain, start, provider_id,
    provider_slug, status, byok, error_class, requests, errors, priced, input_tokens,
    cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost, shadow_cost,
    latency, first_token FROM ( SELECT at.grain, at.start, provider_id, provider_slug, status,
    byok, error_class, sum(requests)::int8 AS requests, sum(errors)::int8 AS errors,
    sum(priced)::int8 AS priced, sum(input_tokens)::int8 AS input_tokens, sum(cached_tokens)::int8
    AS cached_tokens, sum(cache_write_tokens)::int8 AS cache_write_tokens,
    sum(output_tokens)::int8 AS output_tokens, sum(reasoning_tokens)::int8 AS reasoning_tokens,
    sum(cost)::int8 AS cost, sum(shadow_cost)::int8 AS shadow_cost, sum(latency) AS latency,
    sum(first_token) AS first_token FROM ( SELECT quarter, provider_id, provider_slug, status,
    byok, error_class, count(*) AS requests, sum(errors)::int8 AS errors, sum(priced)::int8 AS
    priced, sum(input_tokens)::int8 AS input_tokens, sum(cached_tokens)::int8 AS cached_tokens,
    sum(cache_write_tokens)::int8 AS cache_write_tokens, sum(output_tokens)::int8 AS
    output_tokens, sum(reasoning_tokens)::int8 AS reasoning_tokens, sum(cost)::int8 AS cost,
    coalesce(sum(cost) FILTER (WHERE byok), 0)::int8 AS shadow_cost, coalesce(sum(('1e' || 12 *
    ((greatest(25 - position('1' in greatest(answered_ms, 1)::bit(32)), 0) << 7) +
    (greatest(answered_ms, 0) >> greatest(25 - position('1' in greatest(answered_ms, 1)::bit(32)),
    0))))::numeric) FILTER (WHERE answered_ms IS NOT NULL), 0) AS latency, coalesce(sum(('1e' ||
    12 * ((greatest(25 - position('1' in greatest(first_ms, 1)::bit(32)), 0) << 7) +
    (greatest(first_ms, 0) >> greatest(25 - position('1' in greatest(first_ms, 1)::bit(32)),
    0))))::numeric) FILTER (WHERE first_ms IS NOT NULL), 0) AS first_token FROM usage_facts GROUP
    BY quarter, provider_id, provider_slug, status, byok, error_class ) quarters CROSS JOIN
    LATERAL (VALUES (15::int2, quarter), (60::int2, date_trunc('hour', quarter, 'UTC')),
    (1440::int2, date_trunc('day', quarter, 'UTC')) ) AS at (grain, start) GROUP BY at.grain,
    at.start, provider_id, provider_slug, status, byok, error_class ) fresh ORDER BY grain, start,
    provider_id, provider_slug, status, byok, error_class ON CONFLICT (grain, start, provider_id,
    provider_slug, status, byok, error_class) DO UPDATE SET requests = usage_times.requests +
    excluded.requests, errors = usage_times.errors + excluded.errors, priced = usage_times.priced
    + excluded.priced, input_tokens = usage_times.input_tokens + excluded.input_tokens,
    cached_tokens = usage_times.cached_tokens + excluded.cached_tokens, cache_write_tokens =
    usage_times.cache_write_tokens + excluded.cache_write_tokens, output_tokens =
    usage_times.output_tokens + excluded.output_tokens, reasoning_tokens =
    usage_times.reasoning_tokens + excluded.reasoning_tokens, cost = usage_times.cost +
    excluded.cost, shadow_cost = usage_times.shadow_cost + excluded.shadow_cost, latency =
    usage_times.latency + excluded.latency, first_token = usage_times.first_token +
    excluded.first_token
"""
_USAGE_SERVED_DAYS = """
    INSERT INTO usage_served_days (day, served_id, status, byok, requests, errors, priced,
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost,
    shadow_cost, latency, first_token) SELECT day, served_id, status, byok, requests, errors,
    priced, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost, shadow_cost, latency, first_token FROM (SELECT day, served_id, status, byok, count(*) AS
    requests, sum(errors)::int8 AS errors, sum(priced)::int8 AS priced, sum(input_tokens)::int8 AS
    input_tokens, sum(cached_tokens)::int8 AS cached_tokens, sum(cache_write_tokens)::int8 AS
    cache_write_tokens, sum(output_tokens)::int8 AS output_tokens, sum(reasoning_tokens)::int8 AS
    reasoning_tokens, sum(cost)::int8 AS cost, coalesce(sum(cost) FILTER (WHERE byok), 0)::int8 AS
    shadow_cost, coalesce(sum(('1e' || 12 * ((greatest(28 - position('1' in greatest(answered_ms,
    1)::bit(32)), 0) << 4) + (greatest(answered_ms, 0) >> greatest(28 - position('1' in
    greatest(answered_ms, 1)::bit(32)), 0))))::numeric) FILTER (WHERE answered_ms IS NOT NULL), 0)
    AS latency, coalesce(sum(('1e' || 12 * ((greatest(28 - position('1' in greatest(first_ms,
    1)::bit(32)), 0) << 4) + (greatest(first_ms, 0) >> greatest(28 - position('1' in
    greatest(first_ms, 1)::bit(32)), 0))))::numeric) FILTER (WHERE first_ms IS NOT NULL), 0) AS
    first_token FROM usage_facts GROUP BY day, served_id, status, byok) fresh ORDER BY day,
    served_id, status, byok ON CONFLICT (day, served_id, status, byok) DO UPDATE SET requests =
    usage_served_days.requests + excluded.requests, errors = usage_served_days.errors +
    excluded.errors, priced = usage_served_days.priced + excluded.priced, input_tokens =
    usage_served_days.input_tokens + excluded.input_tokens, cached_tokens =
    usage_served_days.cached_tokens + excluded.cached_tokens, cache_write_tokens =
    usage_served_days.cache_write_tokens + excluded.cache_write_tokens, output_tokens =
    usage_served_days.output_tokens + excluded.output_tokens, reasoning_tokens =
    usage_served_days.reasoning_tokens + excluded.reasoning_tokens, cost = usage_served_days.cost
    + excluded.cost, shadow_cost = usage_served_days.shadow_cost + excluded.shadow_cost, latency =
    usage_served_days.latency + excluded.latency, first_token = usage_served_days.first_token +
    excluded.first_token
"""
_USAGE_CALLER_DAYS = """
    INSERT INTO usage_caller_days (day, caller_id, status, byok, requests, errors, priced,
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost,
    shadow_cost, latency, first_token) SELECT day, caller_id, status, byok, requests, errors,
    priced, input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost, shadow_cost, latency, first_token FROM (SELECT day, caller_id, status, byok, count(*) AS
    requests, sum(errors)::int8 AS errors, sum(priced)::int8 AS priced, sum(input_tokens)::int8 AS
    input_tokens, sum(cached_tokens)::int8 AS cached_tokens, sum(cache_write_tokens)::int8 AS
    cache_write_tokens, sum(output_tokens)::int8 AS output_tokens, sum(reasoning_tokens)::int8 AS
    reasoning_tokens, sum(cost)::int8 AS cost, coalesce(sum(cost) FILTER (WHERE byok), 0)::int8 AS
    shadow_cost, coalesce(sum(('1e' || 12 * ((greatest(28 - position('1' in greatest(answered_ms,
    1)::bit(32)), 0) << 4) + (greatest(answered_ms, 0) >> greatest(28 - position('1' in
    greatest(answered_ms, 1)::bit(32)), 0))))::numeric) FILTER (WHERE answered_ms IS NOT NULL), 0)
    AS latency, coalesce(sum(('1e' || 12 * ((greatest(28 - position('1' in greatest(first_ms,
    1)::bit(32)), 0) << 4) + (greatest(first_ms, 0) >> greatest(28 - position('1' in
    greatest(first_ms, 1)::bit(32)), 0))))::numeric) FILTER (WHERE first_ms IS NOT NULL), 0) AS
    first_token FROM usage_facts GROUP BY day, caller_id, status, byok) fresh ORDER BY day,
    caller_id, status, byok ON CONFLICT (day, caller_id, status, byok) DO UPDATE SET requests =
    usage_caller_days.requests + excluded.requests, errors = usage_caller_days.errors +
    excluded.errors, priced = usage_caller_days.priced + excluded.priced, input_tokens =
    usage_caller_days.input_tokens + excluded.input_tokens, cached_tokens =
    usage_caller_days.cached_tokens + excluded.cached_tokens, cache_write_tokens =
    usage_caller_days.cache_write_tokens + excluded.cache_write_tokens, output_tokens =
    usage_caller_days.output_tokens + excluded.output_tokens, reasoning_tokens =
    usage_caller_days.reasoning_tokens + excluded.reasoning_tokens, cost = usage_caller_days.cost
    + excluded.cost, shadow_cost = usage_caller_days.shadow_cost + excluded.shadow_cost, latency =
    usage_caller_days.latency + excluded.latency, first_token = usage_caller_days.first_token +
    excluded.first_token
"""
_USAGE_VISITS = """
    INSERT INTO usage_visits (grain, start, provider_id, provider_slug, chunk, people) SELECT
    grain, start, provider_id, provider_slug, chunk, people FROM ( SELECT at.grain, at.start,
    provider_id, provider_slug, chunk, bit_or(people) AS people FROM ( SELECT date_trunc('hour',
    quarter, 'UTC') AS quarter, provider_id, provider_slug, person / 4096 AS chunk,
    bit_or(set_bit(0::bit(4096), person % 4096, 1)) AS people FROM usage_facts GROUP BY 1, 2, 3, 4
    ) hours CROSS JOIN LATERAL (VALUES (15::int2, quarter), (60::int2, date_trunc('hour', quarter,
    'UTC')), (1440::int2, date_trunc('day', quarter, 'UTC')) ) AS at (grain, start) WHERE at.grain
    > 15 GROUP BY at.grain, at.start, provider_id, provider_slug, chunk ) fresh ORDER BY grain,
    start, provider_id, provider_slug, chunk ON CONFLICT (grain, start, provider_id,
    provider_slug, chunk) DO UPDATE SET people = usage_visits.people | excluded.people
"""

_COSTS = """
    UPDATE settlement_batches b SET cost = found.cost
    FROM (SELECT batch, coalesce(sum(cost), 0) AS cost FROM llm_usage_logs GROUP BY batch) found
    WHERE b.number = found.batch
"""
_PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'llm_usage_logs'::regclass ORDER BY 1
"""


def upgrade() -> None:
    """Upgrade schema."""
    _times()
    _dimensions()
    _days("usage_served_days", "served_id")
    _days("usage_caller_days", "caller_id")
    _people()
    _lifetimes()
    _fill()


def _sums() -> list[sa.Column[Any]]:
    names = "requests errors priced input_tokens cached_tokens cache_write_tokens output_tokens"
    names += " reasoning_tokens cost shadow_cost"
    return [
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in names.split()),
        sa.Column("latency", sa.Numeric(), nullable=False),
        sa.Column("first_token", sa.Numeric(), nullable=False),
    ]


def _times() -> None:
    keys = ("grain", "start", "provider_id", "provider_slug", "status", "byok", "error_class")
    op.create_table(
        "usage_times",
        sa.Column("grain", sa.SmallInteger(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("provider_slug", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("byok", sa.Boolean(), nullable=False),
        sa.Column("error_class", sa.Text(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_usage_times")),
    )


def _dimensions() -> None:
    served = ("model_id", "provider_id", "provider_slug", "model_name")
    op.create_table(
        "usage_served",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("provider_slug", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_served")),
        sa.UniqueConstraint(
            *served, name=op.f("uq_usage_served_model_id_provider_id_provider_slug_model_name")
        ),
    )
    op.create_index("ix_usage_served_provider_id", "usage_served", ["provider_id"])
    caller = ("user_id", "organization_id", "api_key_id")
    op.create_table(
        "usage_callers",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in caller),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_callers")),
        sa.UniqueConstraint(
            *caller, name=op.f("uq_usage_callers_user_id_organization_id_api_key_id")
        ),
    )
    for name in ("organization_id", "api_key_id"):
        op.create_index(f"ix_usage_callers_{name}", "usage_callers", [name])


def _days(table: str, key: str) -> None:
    op.create_table(
        table,
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(key, sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("byok", sa.Boolean(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("day", key, "status", "byok", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_{key}", table, [key, "day"])


def _people() -> None:
    op.create_table(
        "usage_people",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_usage_people")),
        sa.UniqueConstraint("ordinal", name=op.f("uq_usage_people_ordinal")),
    )
    keys = ("grain", "start", "provider_id", "provider_slug", "chunk")
    op.create_table(
        "usage_visits",
        sa.Column("grain", sa.SmallInteger(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("provider_slug", sa.Text(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("people", postgresql.BIT(4096), nullable=False),
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_usage_visits")),
    )


def _lifetimes() -> None:
    op.create_table(
        "usage_lifetimes",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "id", "name", name=op.f("pk_usage_lifetimes")),
    )
    op.create_index("ix_usage_lifetimes_cost", "usage_lifetimes", ["dimension", "cost"])
    op.create_table(
        "usage_folds",
        sa.Column("id", sa.Boolean(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_folds")),
    )
    op.create_index("ix_llm_usage_logs_organization", "llm_usage_logs", ["organization_id", "id"])
    op.add_column(
        "settlement_batches", sa.Column("cost", sa.Numeric(), server_default="0", nullable=False)
    )


def _fill() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(_CREATE)
    # ON COMMIT DELETE ROWS does not come to help here: this is one transaction.
    for partition in connection.exec_driver_sql(_PARTITIONS).scalars().all():
        for statement in (_SERVED, _CALLERS, _PEOPLE, _FILL):
            connection.exec_driver_sql(statement.format(source=partition))
        for statement in (_USAGE_TIMES, _USAGE_SERVED_DAYS, _USAGE_CALLER_DAYS, _USAGE_VISITS):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("DELETE FROM usage_facts")
    connection.exec_driver_sql("DROP TABLE usage_facts")
    connection.exec_driver_sql(_COSTS)


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_llm_usage_logs_organization", table_name="llm_usage_logs")
    op.drop_column("settlement_batches", "cost")
    for table in (
        "usage_folds",
        "usage_lifetimes",
        "usage_visits",
        "usage_people",
        "usage_caller_days",
        "usage_served_days",
        "usage_callers",
        "usage_served",
        "usage_times",
    ):
        op.drop_table(table)
