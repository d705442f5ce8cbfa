"""days of usage by organisation, from those by caller

Revision ID: e70b52c9d1f3
Revises: 5e0b8a61f4d7
Create Date: 2026-11-26 21:45:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "e70b52c9d1f3"
down_revision: str | Sequence[str] | None = "5e0b8a61f4d7"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SUMS = (
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


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "usage_organization_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("byok", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.Column("latency", sa.Numeric(), nullable=False),
        sa.Column("first_token", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "organization_id", "status", "byok", name=op.f("pk_usage_organization_days")
        ),
    )
    op.execute(
        "INSERT INTO usage_organization_days (day, organization_id, status, byok,"
        f" {', '.join(_SUMS)}, latency, first_token)"
        " SELECT day, organization_id, status, byok,"
        f" {', '.join(f'sum({name})' for name in _SUMS)}, sum(latency), sum(first_token)"
        " FROM usage_caller_days JOIN usage_callers ON id = caller_id GROUP BY 1, 2, 3, 4"
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("usage_organization_days")
