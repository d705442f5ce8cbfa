"""people remember the newest of their tokens

Revision ID: 5e0b8a61f4d7
Revises: d9e3f60b7a15
Create Date: 2026-11-26 21:30:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "5e0b8a61f4d7"
down_revision: str | Sequence[str] | None = "d9e3f60b7a15"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("users", sa.Column("token_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("users", "token_at")
