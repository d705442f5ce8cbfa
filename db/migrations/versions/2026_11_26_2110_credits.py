"""wallets, their ledger, holds and budgets; settings of the installation

Revision ID: 5d0b7e2c94af
Revises: 91c3f0b6a2d4
Create Date: 2026-11-26 21:10:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "5d0b7e2c94af"
down_revision: str | Sequence[str] | None = "91c3f0b6a2d4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REFUSE = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$
"""
_APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
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
_BALANCED = """
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entries
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION transfer_sums_to_nothing()
"""
_GRANT = """
CREATE FUNCTION grant_holds(
    p_process uuid,
    p_requests uuid[],
    p_wallets uuid[],
    p_amounts bigint[],
    p_leasts bigint[],
    p_accounts uuid[],
    p_limits bigint[],
    p_links integer[],
    p_ends integer[]
) RETURNS TABLE (granted bigint, lacking integer, room bigint) LANGUAGE plpgsql AS $$
-- Of each request, in order: what is set aside, at least p_leasts and at most p_amounts; else
-- NULL, which of p_accounts lacks and what it has left (NULL: the wallet is frozen).
-- p_limits is NULL for wallets and the limit in force for budgets. The accounts of request r are
-- those of p_links after p_ends[r - 1] up to p_ends[r].
DECLARE
    v_rooms bigint[];
    v_taken bigint[] := array_fill(0::bigint, ARRAY[cardinality(p_accounts)]);
    v_granted bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_requests)]);
    v_lacking integer[] := array_fill(NULL::integer, ARRAY[cardinality(p_requests)]);
    v_left bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(p_requests)]);
    v_first integer := 1;
    v_amount bigint;
BEGIN
    PERFORM 1 FROM wallets WHERE id = ANY (p_accounts) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM budgets WHERE id = ANY (p_accounts) ORDER BY id FOR UPDATE;
    SELECT array_agg(
        CASE
            WHEN a.cap IS NOT NULL THEN a.cap - coalesce(b.spent + b.held, 0)
            WHEN w.frozen THEN NULL
            ELSE coalesce(w.posted - w.held + w.credit_limit, 0)
        END ORDER BY a.place)
    INTO v_rooms
    FROM unnest(p_accounts, p_limits) WITH ORDINALITY AS a (id, cap, place)
    LEFT JOIN wallets w ON w.id = a.id AND a.cap IS NULL
    LEFT JOIN budgets b ON b.id = a.id AND a.cap IS NOT NULL;
    FOR r IN 1 .. cardinality(p_requests) LOOP
        v_amount := p_amounts[r];
        FOR k IN v_first .. p_ends[r] LOOP
            IF v_rooms[p_links[k]] >= p_leasts[r] THEN
                v_amount := least(v_amount, v_rooms[p_links[k]]);
            ELSE
                v_amount := NULL;
                v_lacking[r] := p_links[k];
                v_left[r] := v_rooms[p_links[k]];
                EXIT;
            END IF;
        END LOOP;
        IF v_amount IS NOT NULL THEN
            v_granted[r] := v_amount;
            FOR k IN v_first .. p_ends[r] LOOP
                v_rooms[p_links[k]] := v_rooms[p_links[k]] - v_amount;
                v_taken[p_links[k]] := v_taken[p_links[k]] + v_amount;
            END LOOP;
        END IF;
        v_first := p_ends[r] + 1;
    END LOOP;
    UPDATE wallets w SET held = w.held + t.amount
    FROM unnest(p_accounts, p_limits, v_taken) AS t (id, cap, amount)
    WHERE w.id = t.id AND t.cap IS NULL AND t.amount > 0;
    UPDATE budgets b SET held = b.held + t.amount
    FROM unnest(p_accounts, p_limits, v_taken) AS t (id, cap, amount)
    WHERE b.id = t.id AND t.cap IS NOT NULL AND t.amount > 0;
    INSERT INTO holds (request_id, wallet_id, amount, budget_ids, process_id)
    SELECT r.id, r.wallet, r.amount, ARRAY(
        SELECT p_accounts[p_links[k]]
        FROM generate_series(coalesce(p_ends[r.place - 1], 0) + 1, p_ends[r.place]) AS k
        WHERE p_limits[p_links[k]] IS NOT NULL
    ), p_process
    FROM unnest(p_requests, p_wallets, v_granted) WITH ORDINALITY AS r (id, wallet, amount, place)
    WHERE r.amount IS NOT NULL;
    RETURN QUERY SELECT * FROM unnest(v_granted, v_lacking, v_left);
END
$$
"""


def upgrade() -> None:
    """Upgrade schema."""
    _wallets()
    _ledger()
    _holds()
    op.create_table(
        "installation_settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation_settings")),
    )
    for table in ("users", "organizations"):
        op.add_column(
            table,
            sa.Column(
                "limits",
                postgresql.JSONB(astext_type=sa.Text()),
                server_default="{}",
                nullable=False,
            ),
        )
    op.add_column(
        "llm_usage_logs",
        sa.Column("credits_charged", sa.BigInteger(), server_default="0", nullable=False),
    )


def _wallets() -> None:
    op.create_table(
        "wallets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("posted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credit_limit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("frozen", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("frozen_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        _now("created_at"),
        sa.CheckConstraint("kind IN ('HOUSE', 'USER', 'ORGANIZATION')", name="kind"),
        sa.CheckConstraint("held >= 0", name="held"),
        sa.CheckConstraint("credit_limit >= 0", name="credit_limit"),
        sa.CheckConstraint(
            "kind = 'HOUSE' OR frozen OR posted - held >= -credit_limit", name="overdraft"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallets")),
    )


def _ledger() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("refers_to", sa.Uuid(), nullable=True),
        _now("created_at"),
        sa.ForeignKeyConstraint(
            ["refers_to"], ["transfers.id"], name=op.f("fk_transfers_refers_to")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_transfers_idempotency_key")),
    )
    op.create_index(op.f("ix_transfers_refers_to"), "transfers", ["refers_to"])
    op.create_table(
        "entries",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name="amount"),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_entries_transfer_id")
        ),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"], name=op.f("fk_entries_wallet_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_entries")),
        sa.UniqueConstraint(
            "transfer_id", "wallet_id", name=op.f("uq_entries_transfer_id_wallet_id")
        ),
    )
    op.create_index("ix_entries_wallet", "entries", ["wallet_id", "number"])
    op.execute(_REFUSE)
    for table in ("transfers", "entries"):
        op.execute(_APPEND_ONLY.format(table))
    op.execute(_SUM)
    op.execute(_BALANCED)


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("budget_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_process", "holds", ["process_id", "created_at"])
    op.create_table(
        "budgets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("held >= 0", name="held"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sa.UniqueConstraint(
            "kind",
            "subject_id",
            "period",
            "starts_on",
            name=op.f("uq_budgets_kind_subject_id_period_starts_on"),
        ),
    )
    op.create_table(
        "settled_requests",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("wallet_id", sa.Uuid(), nullable=True),
        sa.Column("spend", sa.BigInteger(), nullable=False),
        _now("settled_at"),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_settled_requests")),
    )
    op.execute(_GRANT)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.execute(
        "DROP FUNCTION grant_holds(uuid, uuid[], uuid[], bigint[], bigint[], uuid[], bigint[],"
        " integer[], integer[])"
    )
    op.drop_column("llm_usage_logs", "credits_charged")
    for table in ("users", "organizations"):
        op.drop_column(table, "limits")
    for table in (
        "installation_settings",
        "settled_requests",
        "budgets",
        "holds",
        "entries",
        "transfers",
        "wallets",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION transfer_sums_to_nothing()")
    op.execute("DROP FUNCTION ledger_is_append_only()")
