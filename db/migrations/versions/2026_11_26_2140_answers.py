"""answers kept for Idempotency-Key

Revision ID: 5b0e9d1f7c36
Revises: 5b0e6c1f7d24
Create Date: 2026-11-26 21:40:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "5b0e9d1f7c36"
down_revision: str | Sequence[str] | None = "5b0e6c1f7d24"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "llm_kept_answers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("master_key_id", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_kept_answers")),
    )
    op.create_index(op.f("ix_llm_kept_answers_created_at"), "llm_kept_answers", ["created_at"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("llm_kept_answers")
