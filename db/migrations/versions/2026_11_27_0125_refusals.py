"""when a provider refused a key, and what a wallet was told of

Revision ID: 3b9d51f07c6e
Revises: a8f2c61d9e03
Create Date: 2026-11-27 01:25:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "3b9d51f07c6e"
down_revision: str | Sequence[str] | None = "a8f2c61d9e03"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REFUSED = """
    UPDATE llm_credentials SET refused_at = updated_at
    WHERE state = 'DISABLED' AND state_reason IS NOT NULL
        AND state_reason NOT IN ('Switched off by an administrator.', 'Switched off by its owner.')
"""
_MARKS = """
    UPDATE wallets SET low_mark = greatest(posted + credit_limit, 0) / 10 WHERE kind <> 'HOUSE'
"""


def upgrade() -> None:
    """Upgrade schema."""
    for name in ("refused_at", "probed_at"):
        op.add_column("llm_credentials", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute(_REFUSED)
    op.add_column(
        "wallets", sa.Column("low_mark", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("wallets", sa.Column("told", sa.Integer(), server_default="0", nullable=False))
    op.execute(_MARKS)


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("wallets", "told")
    op.drop_column("wallets", "low_mark")
    op.drop_column("llm_credentials", "probed_at")
    op.drop_column("llm_credentials", "refused_at")
