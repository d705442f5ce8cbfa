"""The ledger as the database keeps it: nothing altered, nothing out of nothing, no overdraft."""

import asyncio
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.models.wallet import HOUSE
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.ledger import call, check, count, of


async def test_refunds_sent_together_stay_within_the_original(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    paid = await call(graphql, admin, "creditWallet", wallet=of(user), amount="1")

    found = await asyncio.gather(
        *(
            call(graphql, admin, "refundTransfer", entry=paid["entry"]["id"], amount="0.3")
            for _ in range(8)
        )
    )

    assert sum(each["__typename"] == "RefundTransferPayload" for each in found) == 3
    last = await call(graphql, admin, "adjustWallet", wallet=of(user), amount="0.1")
    assert last["wallet"]["balance"] == "0.2"
    await check(graphql)


@pytest.mark.parametrize("table", ["transfers", "entries"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_ledger_is_never_altered(
    graphql: GraphQL, admin: Principal, user: Principal, table: str, statement: str
) -> None:
    await call(graphql, admin, "creditWallet", wallet=of(user), amount="1")
    statement = statement.format(table).replace("id = id", "balance = balance + 1")
    if table == "transfers":
        statement = statement.replace("balance = balance + 1", "kind = 'GRANT'")
        statement = statement.replace("TRUNCATE transfers", "TRUNCATE transfers CASCADE")

    with pytest.raises(DBAPIError, match="append-only"):
        async with graphql.database.write(None) as session:
            await session.execute(text(statement))

    await check(graphql)
    assert await count(graphql, "entries") == 2


@pytest.mark.parametrize(
    "entries",
    [
        "(:one, :user, 5, 5)",
        "(:one, :user, -5, -5)",
        f"(:one, :user, 5, 5), (:one, '{HOUSE}', -4, -4)",
        # Together they do, and each of them does not.
        f"(:one, :user, 5, 5), (:two, '{HOUSE}', -5, -5)",
        f"(:two, :user, 5, 5), (:two, '{HOUSE}', -5, -5), (:one, :user, 1, 6)",
    ],
)
async def test_entries_that_do_not_sum_to_nothing_are_refused(
    graphql: GraphQL, admin: Principal, user: Principal, entries: str
) -> None:
    await call(graphql, admin, "creditWallet", wallet=of(user), amount="1")
    ids = {"one": uuid.UUID(int=11), "two": uuid.UUID(int=12), "user": user.user_id}
    statement = text(
        "WITH moved AS (INSERT INTO transfers (id, kind, idempotency_key)"
        " VALUES (:one, 'ADJUST', 'x'), (:two, 'ADJUST', 'y'))"
        f" INSERT INTO entries (transfer_id, wallet_id, amount, balance) VALUES {entries}"
    )

    with pytest.raises(DBAPIError, match="do not sum to nothing"):
        async with graphql.database.write(None) as session:
            await session.execute(statement, ids)

    assert await count(graphql, "transfers") == 1
    assert await count(graphql, "entries") == 2


async def test_a_wallet_that_is_not_frozen_is_never_overdrawn(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    await call(graphql, admin, "creditWallet", wallet=of(user), amount="1")

    for change in ("posted = -1", "held = 1000000001", "held = -1", "credit_limit = -1"):
        with pytest.raises(DBAPIError, match="ck_wallets"):
            async with graphql.database.write(None) as session:
                await session.execute(text(f"UPDATE wallets SET {change} WHERE kind = 'USER'"))
