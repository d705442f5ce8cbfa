"""all organisations are summed from an index without histograms

Revision ID: b4c86d20e7a1
Revises: 7d1e0b94c3f8
Create Date: 2026-11-27 02:05:00

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "b4c86d20e7a1"
down_revision: str | Sequence[str] | None = "7d1e0b94c3f8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INCLUDED = [
    "status",
    "byok",
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
]


def upgrade() -> None:
    """Upgrade schema."""
    op.create_index(
        "ix_usage_organization_days_day",
        "usage_organization_days",
        ["day", "organization_id"],
        postgresql_include=_INCLUDED,
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_usage_organization_days_day", table_name="usage_organization_days")
