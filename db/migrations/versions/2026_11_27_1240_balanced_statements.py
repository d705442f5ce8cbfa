"""balanced: each statement's entries sum to nothing, seen at once for all of them

Revision ID: c41e7a90d2b8
Revises: b7d0c4e91f52
Create Date: 2026-11-27 12:40:00

It was seen at the commit, entry by entry, while the wallets of a settlement were locked.
"""

from collections.abc import Sequence

from alembic import op

# revision identifiers, used by Alembic.
revision: str = "c41e7a90d2b8"
down_revision: str | Sequence[str] | None = "b7d0c4e91f52"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SUMS = """
CREATE FUNCTION transfers_sum_to_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_transfer uuid;
BEGIN
    SELECT transfer_id INTO v_transfer FROM made
    GROUP BY transfer_id HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entries of transfer % do not sum to nothing', v_transfer
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$
"""
_TOGETHER = """
CREATE TRIGGER balanced AFTER INSERT ON entries REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION transfers_sum_to_nothing()
"""
_SUM = """
CREATE FUNCTION transfer_sums_to_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM entries WHERE transfer_id = NEW.transfer_id) <> 0 THEN
        RAISE EXCEPTION 'the entries of transfer % do not sum to nothing', NEW.transfer_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$
"""
_ONE_BY_ONE = """
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entries
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION transfer_sums_to_nothing()
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.execute("DROP TRIGGER balanced ON entries")
    op.execute("DROP FUNCTION transfer_sums_to_nothing()")
    op.execute(_SUMS)
    op.execute(_TOGETHER)


def downgrade() -> None:
    """Downgrade schema."""
    op.execute("DROP TRIGGER balanced ON entries")
    op.execute("DROP FUNCTION transfers_sum_to_nothing()")
    op.execute(_SUM)
    op.execute(_ONE_BY_ONE)
