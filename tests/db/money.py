"""Wallets, holds and settled requests at the level of the database, for tests."""

import uuid
from typing import Any

from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.queries.hold import Granted, HoldDesk, HoldRequest
from db.queries.settlement import Settlements
from db.queries.wallet import locked_wallet, transfer
from db.session import Database
from tests.usage import usage_row

PROCESS = uuid.UUID(int=77)


async def fund(database: Database, id: uuid.UUID, amount: int, kind: str = "USER") -> None:
    """Pay in."""
    async with database.write(None) as session:
        await locked_wallet(session, id, kind)
        values = {"id": uuid7(), "kind": "TOP_UP", "idempotency_key": str(uuid7())}
        await transfer(session, values, id, amount)


async def grant(database: Database, *requests: HoldRequest) -> list[Granted]:
    desk = HoldDesk(database)
    try:
        return await desk.grant(PROCESS, requests)
    finally:
        await desk.close()


def asks(wallet: uuid.UUID | None, amount: int, **more: Any) -> HoldRequest:
    values = {"request_id": uuid7(), "wallet_id": wallet, "amount": amount, "least": amount}
    return HoldRequest(**(values | more))


async def pay(database: Database, request: HoldRequest, spend: int | None, **row: Any) -> None:
    """Settle it, as the batch writer does."""
    values = {
        "id": request.request_id,
        "spend": spend,
        "wallet_id": request.wallet_id,
        "credits_charged": spend or 0,
        "budget_ids": tuple(id for id, _ in request.budgets),
    }
    await Settlements(database).settle([usage_row(**(values | row))])


async def one(database: Database, statement: str) -> Any:
    async with database.read(None) as session:
        return await session.scalar(text(statement))


async def wallet(database: Database, id: uuid.UUID) -> tuple[int, int, bool]:
    """(posted, held, frozen)."""
    async with database.read(None) as session:
        found = await session.execute(
            text("SELECT posted, held, frozen FROM wallets WHERE id = :id"), {"id": id}
        )
        row = found.one()
        return row.posted, row.held, row.frozen


async def check(database: Database) -> None:
    """Nothing came out of nothing; every account is what its entries and holds say."""
    assert await one(database, "SELECT coalesce(sum(amount), 0) FROM entries") == 0
    wrong = """
        SELECT count(*) FROM wallets w WHERE
            posted <> (SELECT coalesce(sum(amount), 0) FROM entries WHERE wallet_id = w.id)
            OR held <> (SELECT coalesce(sum(amount), 0) FROM holds WHERE wallet_id = w.id)
            OR (kind <> 'HOUSE' AND NOT frozen AND posted - held < -credit_limit)
    """
    assert await one(database, wrong) == 0
    wrong = """
        SELECT count(*) FROM budgets b WHERE
            held <> (SELECT coalesce(sum(amount), 0) FROM holds WHERE b.id = ANY (budget_ids))
    """
    assert await one(database, wrong) == 0
    last = """
        SELECT count(*) FROM wallets w WHERE posted <> (
            SELECT balance FROM entries WHERE wallet_id = w.id ORDER BY number DESC LIMIT 1)
    """
    assert await one(database, last) == 0
