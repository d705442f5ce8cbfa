"""raising: only who governs changes roles, memberships and balances; partitions are read by none

Revision ID: b7d0c4e91f52
Revises: 8f2a6c13e9d7
Create Date: 2026-11-27 09:00:00

Row-level security keeps callers to their own rows, and their own row is where a role or a balance
would be raised. The triggers look at sessions opened for a caller alone (db/guard.py).
"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "b7d0c4e91f52"
down_revision: str | Sequence[str] | None = "8f2a6c13e9d7"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TABLES = ("users", "memberships", "wallets")
_FUNCTION = """
CREATE FUNCTION only_who_governs_changes_this() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  row_ jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
  IF coalesce(current_setting('fairlead.role', true), '') <> 'ADMIN'
     AND (TG_TABLE_NAME <> 'memberships' OR row_ ->> 'organization_id' IS DISTINCT FROM
          nullif(current_setting('fairlead.governed_id', true), '')) THEN
    RAISE insufficient_privilege USING MESSAGE = 'row-level security: ' || TG_TABLE_NAME;
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
"""
_PARTITIONS = """
DO $$ DECLARE each regclass; BEGIN
  FOR each IN SELECT inhrelid FROM pg_inherits
    WHERE inhparent IN ('llm_usage_logs'::regclass, 'llm_decisions'::regclass)
  LOOP
    EXECUTE format('ALTER TABLE %s {verb} ROW LEVEL SECURITY', each);
  END LOOP;
END $$
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.execute(_FUNCTION)
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER only_who_governs BEFORE INSERT OR UPDATE OR DELETE ON {table}"
            " FOR EACH ROW WHEN (current_user = 'fairlead_app')"
            " EXECUTE FUNCTION only_who_governs_changes_this()"
        )
    op.execute(_PARTITIONS.replace("{verb}", "ENABLE"))


def downgrade() -> None:
    """Downgrade schema."""
    op.execute(_PARTITIONS.replace("{verb}", "DISABLE"))
    for table in _TABLES:
        op.execute(f"DROP TRIGGER only_who_governs ON {table}")
    op.execute("DROP FUNCTION only_who_governs_changes_this()")
