"""what processes observe of models, and the state of providers

Revision ID: d9e3f60b7a15
Revises: 5b0e9d1f7c36
Create Date: 2026-11-26 21:30:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "d9e3f60b7a15"
down_revision: str | Sequence[str] | None = "5b0e9d1f7c36"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "deployment_health",
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("vitals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("limited_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["process_id"],
            ["processes.id"],
            name=op.f("fk_deployment_health_process_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("process_id", "model_id", name=op.f("pk_deployment_health")),
    )
    op.create_index(op.f("ix_deployment_health_model_id"), "deployment_health", ["model_id"])
    op.create_table(
        "provider_health",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["llm_providers.id"],
            name=op.f("fk_provider_health_provider_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_provider_health")),
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("provider_health")
    op.drop_table("deployment_health")
