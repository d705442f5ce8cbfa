"""seeded models that go on with an answer's beginning say so

Revision ID: e7d3a95b1c40
Revises: b4c86d20e7a1
Create Date: 2026-11-27 04:20:00

"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "e7d3a95b1c40"
down_revision: str | Sequence[str] | None = "b4c86d20e7a1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BEFORE = "ARRAY['REASONING', 'STREAMING', 'TOOLS', 'VISION']"
_AFTER = "ARRAY['PREFILL', 'REASONING', 'STREAMING', 'TOOLS', 'VISION']"


def _change(before: str, after: str) -> str:
    """Of those that nobody has made or changed by hand: the audit log tells of each change."""
    return f"""
        UPDATE llm_models m SET capabilities = {after}, version = m.version + 1
        FROM llm_providers v
        WHERE v.id = m.provider_id AND v.type = 'ANTHROPIC' AND v.slug = 'anthropic'
            AND m.name ~ '^claude-(opus|sonnet|haiku)-4(-[0-5])?(-[0-9]{{8}})?$'
            AND m.capabilities @> {before} AND m.capabilities <@ {before}
            AND NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.object_id = m.id)
    """


def upgrade() -> None:
    """Upgrade schema."""
    op.execute(_change(_BEFORE, _AFTER))


def downgrade() -> None:
    """Downgrade schema."""
    op.execute(_change(_AFTER, _BEFORE))
