"""callers know their person's place in the bitmaps

Revision ID: 8f2a6c13e9d7
Revises: 5c1e9d37a4f2
Create Date: 2026-11-27 08:40:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "8f2a6c13e9d7"
down_revision: str | Sequence[str] | None = "5c1e9d37a4f2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    # What an earlier release adds meanwhile lacks it: it is completed when the caller comes again.
    op.add_column("usage_callers", sa.Column("person", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE usage_callers c SET person = p.ordinal FROM usage_people p"
        " WHERE p.user_id = c.user_id"
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("usage_callers", "person")
