"""room for the next addition in the pages of the roll-ups

Revision ID: 7d1e0b94c3f8
Revises: c2f08e6a71d5
Create Date: 2026-11-27 01:50:00

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "7d1e0b94c3f8"
down_revision: str | Sequence[str] | None = "c2f08e6a71d5"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_CELLS = (
    "usage_times",
    "usage_served_days",
    "usage_caller_days",
    "usage_organization_days",
    "usage_visits",
)


def upgrade() -> None:
    """Pages that are there stay as they are: a day that is over is not added to."""
    for table in _CELLS:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def downgrade() -> None:
    """Downgrade schema."""
    for table in _CELLS:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
