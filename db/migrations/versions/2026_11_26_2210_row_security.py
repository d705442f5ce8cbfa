"""row-level security: a query that forgot whose rows it may read finds none of others'

Revision ID: 8c2f6d1e0b93
Revises: e70b52c9d1f3
Create Date: 2026-11-26 22:10:00

The policies bind everybody but owners, superusers and roles with BYPASSRLS; sessions opened for a
caller take such a role (db/guard.py). They read what db/session.py tells of the caller.
"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "8c2f6d1e0b93"
down_revision: str | Sequence[str] | None = "e70b52c9d1f3"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Scalar subqueries are computed once for a statement, not for each row.
_ADMIN = "(SELECT current_setting('fairlead.role', true) = 'ADMIN')"


def _id(name: str) -> str:
    return f"(SELECT nullif(current_setting('fairlead.{name}', true), '')::uuid)"


_ME, _PLACE, _GOVERNED = _id("user_id"), _id("organization_id"), _id("governed_id")
_MINE_OR_GOVERNED = f"user_id = {_ME} OR organization_id = {_GOVERNED}"
_SCOPED = f"scope = 'GLOBAL' OR scope_id = {_ME} OR scope_id = {_PLACE}"

_POLICIES = {
    "users": f"id = {_ME} OR EXISTS (SELECT FROM memberships m"
    f" WHERE m.user_id = users.id AND m.organization_id = {_GOVERNED})",
    "organizations": f"id = {_PLACE} OR EXISTS (SELECT FROM memberships m"
    f" WHERE m.organization_id = organizations.id AND m.user_id = {_ME})",
    "memberships": _MINE_OR_GOVERNED,
    "user_llm_settings": f"user_id = {_ME}",
    "api_keys": _MINE_OR_GOVERNED,
    "llm_credentials": f"(owner_kind = 'USER' AND owner_id = {_ME})"
    f" OR (owner_kind = 'ORGANIZATION' AND owner_id = {_GOVERNED})",
    "llm_usage_logs": _MINE_OR_GOVERNED,
    "llm_decisions": "EXISTS (SELECT FROM llm_usage_logs u WHERE u.id = llm_decisions.id)",
    "llm_routing_rules": _SCOPED,
    "llm_routing_drafts": _SCOPED,
    "wallets": f"id = {_ME} OR id = {_GOVERNED}",
    "entries": f"wallet_id = {_ME} OR wallet_id = {_GOVERNED}",
    "transfers": "EXISTS (SELECT FROM entries e WHERE e.transfer_id = transfers.id)",
}
"""By table: the rows of a caller who is no administrator."""


def upgrade() -> None:
    """Upgrade schema."""
    for table, rows in _POLICIES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY callers ON {table} USING ({_ADMIN} OR {rows})")
    op.execute("ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY callers ON idempotency_keys USING (user_id = {_ME})")


def downgrade() -> None:
    """Downgrade schema."""
    for table in (*_POLICIES, "idempotency_keys"):
        op.execute(f"DROP POLICY callers ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
