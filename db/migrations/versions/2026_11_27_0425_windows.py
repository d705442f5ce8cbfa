"""cells for days of any zone and for organisations with providers, and what groups cost by week

Revision ID: 5c1e9d37a4f2
Revises: e7d3a95b1c40
Create Date: 2026-11-27 04:25:00

"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "5c1e9d37a4f2"
down_revision: str | Sequence[str] | None = "e7d3a95b1c40"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'llm_usage_logs'::regclass ORDER BY 1
"""
# Of an hour and more it is known who came, even where the requests are no longer kept.
_HOURS = """
    INSERT INTO usage_visitors (grain, start, chunk, people)
    SELECT at.grain, at.start, v.chunk, bit_or(v.people) FROM usage_visits v
    CROSS JOIN LATERAL (VALUES
        (60::int2, v.start),
        (360::int2, date_bin('6 hours', v.start, 'epoch')),
        (1440::int2, date_bin('1 day', v.start, 'epoch'))
    ) AS at (grain, start)
    WHERE v.grain = 60 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# What db/queries/rollup.py did when this was written: a migration does not change with the code.
_FACTS = """
    CREATE TEMP TABLE windows_facts ON COMMIT DROP AS
    SELECT date_bin('15 minutes', m.moment, 'epoch') AS quarter, p.ordinal AS person,
        s.id AS served_id, n.organization_id, n.provider_id, n.provider_slug, u.status,
        coalesce(u.key_owner IN ('USER', 'ORGANIZATION'), false) AS byok,
        (u.status IN ('ERROR', 'CUT', 'RECOVERED', 'UNKNOWN'))::int AS errors,
        (u.cost IS NOT NULL)::int AS priced, u.input_tokens, u.cached_tokens,
        u.cache_write_tokens, u.output_tokens, u.reasoning_tokens, coalesce(u.cost, 0) AS cost,
        CASE WHEN u.status = 'OK' THEN ('1e' || 12 * (({latency_shift} << 4)
            + (greatest(u.latency_ms, 0) >> {latency_shift})))::numeric END AS latency,
        CASE WHEN u.status = 'OK' AND u.first_token_ms IS NOT NULL THEN
            ('1e' || 12 * (({first_shift} << 4)
            + (greatest(u.first_token_ms, 0) >> {first_shift})))::numeric END AS first_token
    FROM {partition} u
    JOIN usage_people p USING (user_id)
    CROSS JOIN LATERAL (
        SELECT to_timestamp(('x' || left(replace(u.id::text, '-', ''), 12))::bit(48)::bigint
            / 1000.0) AS moment
    ) m
    CROSS JOIN LATERAL (
        SELECT coalesce(u.organization_id, '00000000-0000-0000-0000-000000000000'::uuid)
                AS organization_id,
            coalesce(u.provider_id, '00000000-0000-0000-0000-000000000000'::uuid) AS provider_id,
            left(coalesce(u.provider_slug, ''), 200) AS provider_slug,
            coalesce(u.model_id, '00000000-0000-0000-0000-000000000000'::uuid) AS model_id,
            left(coalesce(u.model_name, ''), 200) AS model_name
    ) n
    JOIN usage_served s ON s.model_id = n.model_id AND s.provider_id = n.provider_id
        AND s.provider_slug = n.provider_slug AND s.model_name = n.model_name
"""
_SHIFT = "greatest(28 - position('1' in greatest({value}, 1)::bit(32)), 0)"
_TOTALS = """
    INSERT INTO usage_totals (grain, start, {names}, latency, first_token)
    SELECT grain, start, {summed}, sum(latency), sum(first_token)
    FROM usage_times GROUP BY 1, 2 ORDER BY 1, 2
"""
_QUARTERS = """
    INSERT INTO usage_visitors (grain, start, chunk, people)
    SELECT 15, quarter, person / 4096, bit_or(set_bit(0::bit(4096), person % 4096, 1))
    FROM windows_facts GROUP BY 2, 3 ORDER BY 2, 3
"""
_COUNTED = """
    count(*), sum(errors), sum(priced), sum(input_tokens), sum(cached_tokens),
    sum(cache_write_tokens), sum(output_tokens), sum(reasoning_tokens), sum(cost),
    coalesce(sum(cost) FILTER (WHERE byok), 0)
"""
_BY_HOUR = """
    INSERT INTO {table} (start, {key}, status, byok, {names}, latency, first_token)
    SELECT date_bin('1 hour', quarter, 'epoch'), {key}, status, byok, {counted},
        coalesce(sum(latency), 0), coalesce(sum(first_token), 0)
    FROM windows_facts GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_PAIRS = """
    INSERT INTO usage_pair_days (day, organization_id, provider_id, provider_slug, status, byok,
        {names}, latency, first_token)
    SELECT (quarter AT TIME ZONE 'UTC')::date, organization_id, provider_id, provider_slug,
        status, byok, {counted}, coalesce(sum(latency), 0), coalesce(sum(first_token), 0)
    FROM windows_facts GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
_NAMES = (
    "requests",
    "errors",
    "priced",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
    "shadow_cost",
)
_MONDAY = "date_trunc('week', d.day::timestamp)::date"
_NAME = (
    "CASE WHEN k.provider_slug = '' OR k.model_name = '' THEN ''"
    " ELSE k.provider_slug || '/' || k.model_name END"
)
_SERVED = "usage_served_days d JOIN usage_served k ON k.id = d.served_id"
_CALLED = "usage_caller_days d JOIN usage_callers k ON k.id = d.caller_id"
_COSTS = """
    INSERT INTO usage_week_costs (dimension, week, id, name, cost)
    SELECT '{dimension}', {monday}, {id}, {name}, sum(d.cost)::int8
    FROM {cells} GROUP BY 2, 3, 4
"""
_FOLDED = """
    INSERT INTO usage_folds (id, batch)
    SELECT true, coalesce(max(number), 0) FROM settlement_batches
    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch
"""


def upgrade() -> None:
    """Upgrade schema."""
    connection = op.get_bind()
    # Nothing is settled meanwhile: what is filled here is of one moment.
    connection.exec_driver_sql("LOCK TABLE settlement_batches IN SHARE MODE")
    _make()
    summed = ", ".join(f"sum({name})" for name in _NAMES)
    connection.exec_driver_sql(_TOTALS.format(names=", ".join(_NAMES), summed=summed))
    connection.exec_driver_sql(_HOURS)
    for partition in connection.exec_driver_sql(_PARTITIONS).scalars().all():
        _fill(connection, partition)
    for dimension, id, name, cells in (
        ("MODEL", "k.model_id", _NAME, _SERVED),
        ("USER", "k.user_id", "''", _CALLED),
        ("API_KEY", "k.api_key_id", "''", _CALLED),
    ):
        connection.exec_driver_sql(
            _COSTS.format(dimension=dimension, monday=_MONDAY, id=id, name=name, cells=cells)
        )
    connection.exec_driver_sql(_FOLDED)
    op.create_index("ix_usage_week_costs_cost", "usage_week_costs", ["dimension", "week", "cost"])
    op.create_index(
        "ix_usage_pair_days_organization_id", "usage_pair_days", ["organization_id", "day"]
    )
    op.drop_table("usage_lifetimes")


def _fill(connection: sa.Connection, partition: str) -> None:
    """From the requests of a day."""
    shifts = {
        "latency_shift": _SHIFT.format(value="u.latency_ms"),
        "first_shift": _SHIFT.format(value="u.first_token_ms"),
    }
    connection.exec_driver_sql(_FACTS.format(partition=partition, **shifts))
    sums = {"names": ", ".join(_NAMES), "counted": _COUNTED}
    for statement in (
        _QUARTERS,
        _BY_HOUR.format(table="usage_served_hours", key="served_id", **sums),
        _BY_HOUR.format(table="usage_organization_hours", key="organization_id", **sums),
        _PAIRS.format(**sums),
        "DROP TABLE windows_facts",
    ):
        connection.exec_driver_sql(statement)


def _make() -> None:
    organization = {"organization_id": sa.Uuid()}
    provider = {"provider_id": sa.Uuid(), "provider_slug": sa.Text()}
    outcome = {"status": sa.Text(), "byok": sa.Boolean()}
    start = {"start": sa.DateTime(timezone=True)}
    _cells("usage_totals", {"grain": sa.SmallInteger(), **start})
    _cells("usage_served_hours", {**start, "served_id": sa.Integer(), **outcome})
    _cells("usage_organization_hours", {**start, **organization, **outcome})
    _cells("usage_pair_days", {"day": sa.Date(), **organization, **provider, **outcome})
    op.create_table(
        "usage_visitors",
        sa.Column("grain", sa.SmallInteger(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("people", postgresql.BIT(4096), nullable=False),
        sa.PrimaryKeyConstraint("grain", "start", "chunk", name=op.f("pk_usage_visitors")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "usage_week_costs",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "dimension", "week", "id", "name", name=op.f("pk_usage_week_costs")
        ),
    )


def _cells(table: str, keys: Mapping[str, Any]) -> None:
    op.create_table(
        table,
        *(sa.Column(name, type_, nullable=False) for name, type_ in keys.items()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _NAMES),
        sa.Column("latency", sa.Numeric(), nullable=False),
        sa.Column("first_token", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        postgresql_with={"fillfactor": "70"},
    )


def downgrade() -> None:
    """Downgrade schema."""
    for table in ("pair_days", "organization_hours", "served_hours", "totals"):
        op.drop_table(f"usage_{table}")
    op.create_table(
        "usage_lifetimes",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "id", "name", name=op.f("pk_usage_lifetimes")),
    )
    op.execute(
        "INSERT INTO usage_lifetimes SELECT dimension, id, name, sum(cost)::int8"
        " FROM usage_week_costs GROUP BY 1, 2, 3"
    )
    op.create_index("ix_usage_lifetimes_cost", "usage_lifetimes", ["dimension", "cost"])
    op.drop_table("usage_week_costs")
    op.drop_table("usage_visitors")
