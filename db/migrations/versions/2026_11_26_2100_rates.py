"""rates of keys, people and organisations

Revision ID: 5e21b7c40a9d
Revises: e7a2c90d4f31
Create Date: 2026-11-26 21:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "5e21b7c40a9d"
down_revision: str | Sequence[str] | None = "e7a2c90d4f31"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "rate_windows",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "rate", name=op.f("pk_rate_windows")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "rate_running",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "process_id", name=op.f("pk_rate_running")),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("rate_running")
    op.drop_table("rate_windows")
