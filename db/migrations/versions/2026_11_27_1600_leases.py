"""leases of credits: holds that a process grants requests from

Revision ID: e6b15f0c83a7
Revises: c41e7a90d2b8
Create Date: 2026-11-27 16:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "e6b15f0c83a7"
down_revision: str | Sequence[str] | None = "c41e7a90d2b8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("holds", sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("wallets", sa.Column("unleased_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Downgrade schema. Leases that are open stay holds, of processes that are then gone."""
    op.drop_column("wallets", "unleased_until")
    op.drop_column("holds", "leased_until")
