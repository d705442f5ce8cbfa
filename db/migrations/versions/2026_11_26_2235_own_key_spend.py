"""what others' keys may cost in a month when an own one is too busy

Revision ID: a8f2c61d9e03
Revises: 9c4f7d21e6ba
Create Date: 2026-11-26 22:35:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "a8f2c61d9e03"
down_revision: str | Sequence[str] | None = "9c4f7d21e6ba"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("llm_credentials", sa.Column("spend_per_month", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("llm_credentials", "spend_per_month")
