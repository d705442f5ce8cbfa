"""people and organisations that follow a provider or a hand; keys that rotate

Revision ID: c41d7e5a9b20
Revises: 3f5c0d9a41b7
Create Date: 2026-11-26 21:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision: str = "c41d7e5a9b20"
down_revision: str | Sequence[str] | None = "3f5c0d9a41b7"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    for table in ("organizations", "users"):
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        op.add_column(
            table,
            sa.Column(
                "updated_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("now()"),
                nullable=False,
            ),
        )
    op.add_column("organizations", sa.Column("issuer", sa.Text(), nullable=True))
    op.add_column("organizations", sa.Column("group_name", sa.Text(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_organizations_issuer_group_name"), "organizations", ["issuer", "group_name"]
    )
    op.add_column("users", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("user_llm_settings", "power_level", nullable=True)
    _api_keys()


def _api_keys() -> None:
    op.add_column("api_keys", sa.Column("creator_key_id", sa.Uuid(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_hash", sa.LargeBinary(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_pepper_id", sa.Uuid(), nullable=True))
    op.add_column(
        "api_keys", sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_foreign_key(
        op.f("fk_api_keys_creator_key_id"),
        "api_keys",
        "api_keys",
        ["creator_key_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        op.f("fk_api_keys_previous_pepper_id"),
        "api_keys",
        "peppers",
        ["previous_pepper_id"],
        ["id"],
    )
    op.create_index(op.f("ix_api_keys_creator_key_id"), "api_keys", ["creator_key_id"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index(op.f("ix_api_keys_creator_key_id"), "api_keys")
    for column in ("creator_key_id", "previous_hash", "previous_pepper_id", "previous_until"):
        op.drop_column("api_keys", column)
    op.execute("DELETE FROM user_llm_settings WHERE power_level IS NULL")
    op.alter_column("user_llm_settings", "power_level", nullable=False)
    op.drop_column("users", "last_seen_at")
    for column in ("issuer", "group_name"):
        op.drop_column("organizations", column)
    for table in ("organizations", "users"):
        op.drop_column(table, "version")
        op.drop_column(table, "updated_at")
