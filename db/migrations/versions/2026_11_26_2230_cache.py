"""answers kept for exact repeats, for keys that ask for it

Revision ID: 9c4f7d21e6ba
Revises: 5e21b7c40a9d
Create Date: 2026-11-26 22:30:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "9c4f7d21e6ba"
down_revision: str | Sequence[str] | None = "5e21b7c40a9d"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("api_keys", sa.Column("cache_seconds", sa.Integer(), nullable=True))
    op.create_table(
        "llm_cached_answers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_cached_answers")),
    )
    op.create_index(op.f("ix_llm_cached_answers_expires_at"), "llm_cached_answers", ["expires_at"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("llm_cached_answers")
    op.drop_column("api_keys", "cache_seconds")
