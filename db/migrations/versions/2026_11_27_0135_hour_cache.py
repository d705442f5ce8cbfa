"""what a cache keeps an hour has a price of its own

Revision ID: c2f08e6a71d5
Revises: 3b9d51f07c6e
Create Date: 2026-11-27 01:35:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "c2f08e6a71d5"
down_revision: str | Sequence[str] | None = "3b9d51f07c6e"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LISTED = """
    UPDATE llm_prices p SET cache_write_1h = 2 * p.input
    FROM llm_models m JOIN llm_providers v ON v.id = m.provider_id
    WHERE m.id = p.model_id AND v.type = 'ANTHROPIC' AND v.slug = 'anthropic'
        AND p.source LIKE 'genai-prices %' AND p.cache_write IS NOT NULL
"""
"""Anthropic's list: twice the price of input. What was used until now told of none of these."""


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("llm_prices", sa.Column("cache_write_1h", sa.BigInteger(), nullable=True))
    op.execute(_LISTED)
    op.add_column(
        "llm_usage_logs",
        sa.Column("cache_write_1h_tokens", sa.BigInteger(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("llm_usage_logs", "cache_write_1h_tokens")
    op.drop_column("llm_prices", "cache_write_1h")
