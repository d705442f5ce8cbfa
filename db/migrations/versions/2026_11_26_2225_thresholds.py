"""which share of a budget was told of

Revision ID: e7a2c90d4f31
Revises: 8c2f6d1e0b93
Create Date: 2026-11-26 22:25:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "e7a2c90d4f31"
down_revision: str | Sequence[str] | None = "8c2f6d1e0b93"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("budgets", sa.Column("told", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("budgets", "told")
