"""drafts of routing rules, published versions that never change, and refused configurations

Revision ID: 5b0e6c1f7d24
Revises: 5d0b7e2c94af
Create Date: 2026-11-26 21:28:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "5b0e6c1f7d24"
down_revision: str | Sequence[str] | None = "5d0b7e2c94af"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REFUSE = """
CREATE FUNCTION routing_rules_never_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - 'state' IS DISTINCT FROM to_jsonb(NEW) - 'state' THEN
        RAISE EXCEPTION 'a published version of routing rules never changes'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$
"""
_TRIGGER = """
CREATE TRIGGER never_change BEFORE UPDATE ON llm_routing_rules
FOR EACH ROW EXECUTE FUNCTION routing_rules_never_change()
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "llm_routing_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_llm_routing_drafts")),
        sa.UniqueConstraint(
            "scope",
            "scope_id",
            name=op.f("uq_llm_routing_drafts_scope_scope_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.execute(_REFUSE)
    op.execute(_TRIGGER)
    op.add_column("processes", sa.Column("refused", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("processes", "refused")
    op.execute("DROP TRIGGER never_change ON llm_routing_rules")
    op.execute("DROP FUNCTION routing_rules_never_change()")
    op.drop_table("llm_routing_drafts")
