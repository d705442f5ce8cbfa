"""Wallets: paid in, corrected, refunded, bounded, frozen; seen only by whom they concern."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from db.models.wallet import HOUSE as HOUSE_KEY
from domain.principal import MemberRole, Principal
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.ledger import ENTRY, WALLET, call, check, count, of

MINE = f"{{ viewer {{ paidBy wallet {{ {WALLET} entries {{ nodes {{ {ENTRY} }} }} }} }} }}"
ONE = f"query ($id: ID!) {{ wallet(id: $id) {{ id {WALLET} }} }}"
LEDGER = """
query ($id: ID!, $first: Int, $after: String) {
  wallet(id: $id) {
    user { name } organization { name }
    entries(first: $first, after: $after) {
      totalCount
      nodes { kind amount balance actor { name } refersTo { kind } request { status } }
      edges { node { amount } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
EMPTY = {
    "balance": "0",
    "held": "0",
    "available": "0",
    "creditLimit": "0",
    "debt": "0",
    "frozen": False,
    "frozenReason": None,
    "kind": "USER",
}


async def audited(graphql: GraphQL) -> list[tuple[str, str]]:
    """(action, object type) of every entry."""
    async with graphql.database.read(None) as session:
        statement = text("SELECT action, object_type FROM audit_log ORDER BY number")
        return [(row.action, row.object_type) for row in await session.execute(statement)]


async def test_a_wallet_is_empty_until_something_is_paid_in(
    graphql: GraphQL, user: Principal
) -> None:
    data = await graphql.data(MINE, user)

    assert data["viewer"] == {"paidBy": "USER", "wallet": {**EMPTY, "entries": {"nodes": []}}}
    assert await count(graphql, "wallets") == 0


async def test_credits_are_paid_in(graphql: GraphQL, admin: Principal, user: Principal) -> None:
    top_up = await call(
        graphql, admin, "creditWallet", wallet=of(user), amount="12.5", reason="invoice 7"
    )
    grant = await call(
        graphql, admin, "creditWallet", wallet=of(user), amount="0.000000001", kind="GRANT"
    )

    assert top_up["wallet"]["balance"] == "12.5"
    assert (
        top_up["entry"].items()
        >= {
            "kind": "TOP_UP",
            "amount": "12.5",
            "balance": "12.5",
            "refunded": "0",
            "reason": "invoice 7",
        }.items()
    )
    assert grant["entry"]["kind"] == "GRANT"
    mine = (await graphql.data(MINE, user))["viewer"]["wallet"]
    assert (mine["balance"], mine["available"]) == ("12.500000001", "12.500000001")
    assert [entry["kind"] for entry in mine["entries"]["nodes"]] == ["GRANT", "TOP_UP"]
    assert await audited(graphql) == [("CREDIT", "WALLET")] * 2
    await check(graphql)


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("amount", {"amount": "0"}),
        ("amount", {"amount": "-1"}),
        ("reason", {"reason": " "}),
        ("reason", {"reason": "two\nlines"}),
        ("idempotencyKey", {"idempotencyKey": ""}),
        ("idempotencyKey", {"idempotencyKey": "two words"}),
    ],
)
async def test_refuses_credits_that_are_none(
    graphql: GraphQL, admin: Principal, user: Principal, field: str, input: dict[str, str]
) -> None:
    found = await call(
        graphql, admin, "creditWallet", **{"wallet": of(user), "amount": "1", **input}
    )

    assert (found["__typename"], found["field"]) == ("InvalidInputError", field)
    assert await count(graphql, "transfers") == await count(graphql, "audit_log") == 0


async def test_a_balance_is_put_right_but_never_below_what_is_there(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    await call(graphql, admin, "creditWallet", wallet=of(user), amount="3")

    less = await call(graphql, admin, "adjustWallet", wallet=of(user), amount="-1.25")
    much = await call(graphql, admin, "adjustWallet", wallet=of(user), amount="-1.750000001")
    more = await call(graphql, admin, "adjustWallet", wallet=of(user), amount="0.25")

    assert less["wallet"]["balance"] == "1.75"
    assert (much["__typename"], much["code"]) == (
        "InsufficientCreditsError",
        "INSUFFICIENT_CREDITS",
    )
    assert "$1.75 available" in much["message"]
    assert more["wallet"]["balance"] == "2"
    nothing = await call(graphql, admin, "adjustWallet", wallet=of(user), amount="0")
    assert (nothing["__typename"], nothing["field"]) == ("InvalidInputError", "amount")
    assert await audited(graphql) == [("CREDIT", "WALLET"), *[("ADJUST", "WALLET")] * 2]
    await check(graphql)


async def test_a_refund_is_never_above_the_original_in_sum(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    paid = await call(graphql, admin, "creditWallet", wallet=of(user), amount="5")
    entry = paid["entry"]["id"]

    first = await call(graphql, admin, "refundTransfer", entry=entry, amount="2")
    beyond = await call(graphql, admin, "refundTransfer", entry=entry, amount="3.000000001")
    rest = await call(graphql, admin, "refundTransfer", entry=entry)
    again = await call(graphql, admin, "refundTransfer", entry=entry)
    of_refund = await call(graphql, admin, "refundTransfer", entry=first["entry"]["id"])

    assert (first["entry"]["amount"], first["wallet"]["balance"]) == ("-2", "3")
    assert (beyond["__typename"], beyond["field"]) == ("InvalidInputError", "amount")
    assert (rest["entry"]["amount"], rest["wallet"]["balance"]) == ("-3", "0")
    assert (again["__typename"], of_refund["__typename"]) == ("ConflictError", "ConflictError")
    ledger = await graphql.data(LEDGER, admin, id=of(user))
    assert [n["refersTo"] for n in ledger["wallet"]["entries"]["nodes"]] == [
        {"kind": "TOP_UP"},
        {"kind": "TOP_UP"},
        None,
    ]
    await check(graphql)


async def test_what_is_used_up_is_not_refunded(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    paid = await call(graphql, admin, "creditWallet", wallet=of(user), amount="5")
    await call(graphql, admin, "adjustWallet", wallet=of(user), amount="-4")

    found = await call(graphql, admin, "refundTransfer", entry=paid["entry"]["id"])

    assert found["__typename"] == "InsufficientCreditsError"
    missing = await call(
        graphql, admin, "refundTransfer", entry=global_id("WalletEntry", user.user_id)
    )
    assert missing["__typename"] == "NotFoundError"
    await check(graphql)


async def test_a_key_moves_credits_once_however_often_and_whenever_it_is_sent(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    order = {"wallet": of(user), "amount": "1", "idempotencyKey": "k-1"}

    found = await asyncio.gather(*(call(graphql, admin, "creditWallet", **order) for _ in range(6)))
    async with graphql.database.write(None) as session:
        await session.execute(text("DELETE FROM idempotency_keys"))
    late = await call(graphql, admin, "creditWallet", **order)
    other = await call(graphql, admin, "creditWallet", **{**order, "amount": "2"})

    assert len({each["entry"]["id"] for each in [*found, late]}) == 1
    assert (other["__typename"], other["code"]) == ("ConflictError", "CONFLICT")
    assert late["wallet"]["balance"] == "1"
    assert len(await audited(graphql)) == 1
    await check(graphql)


async def test_a_credit_limit_lets_a_balance_fall_so_far(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    allowed = await call(graphql, admin, "setCreditLimit", wallet=of(user), creditLimit="2")
    used = await call(graphql, admin, "adjustWallet", wallet=of(user), amount="-1.5")
    tighter = await call(graphql, admin, "setCreditLimit", wallet=of(user), creditLimit="1")
    stale = await call(
        graphql, admin, "setCreditLimit", wallet=of(user), creditLimit="3", expectedVersion=1
    )
    wrong = await call(graphql, admin, "setCreditLimit", wallet=of(user), creditLimit="-1")

    assert allowed["wallet"]["available"] == "2"
    assert (used["wallet"]["balance"], used["wallet"]["available"]) == ("-1.5", "0.5")
    assert tighter["__typename"] == "ConflictError"
    assert "$1.5 of credit is in use" in tighter["message"]
    assert (stale["__typename"], wrong["__typename"]) == ("ConflictError", "InvalidInputError")
    await check(graphql)


async def test_a_frozen_wallet_is_set_free_once_it_owes_nothing(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    frozen = await call(graphql, admin, "freezeWallet", wallet=of(user), reason="under review")
    async with graphql.database.write(None) as session:
        await session.execute(text("UPDATE wallets SET held = 5 WHERE kind = 'USER'"))
    owing = await call(graphql, admin, "unfreezeWallet", wallet=of(user))
    await call(graphql, admin, "creditWallet", wallet=of(user), amount="1")
    free = await call(graphql, admin, "unfreezeWallet", wallet=of(user))

    assert (frozen["wallet"]["frozen"], frozen["wallet"]["frozenReason"]) == (True, "under review")
    assert owing["__typename"] == "ConflictError"
    assert (free["wallet"]["frozen"], free["wallet"]["frozenReason"]) == (False, None)
    assert [action for action, _ in await audited(graphql)] == ["UPDATE", "CREDIT", "UPDATE"]


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("creditWallet", {"amount": "1"}),
        ("adjustWallet", {"amount": "1"}),
        ("setCreditLimit", {"creditLimit": "1"}),
        ("freezeWallet", {"reason": "x"}),
        ("unfreezeWallet", {}),
    ],
)
async def test_there_is_no_wallet_of_nobody(
    graphql: GraphQL, admin: Principal, name: str, input: dict[str, Any]
) -> None:
    for id in ("nonsense", global_id("Provider", admin.user_id), global_id("Wallet", HOUSE_KEY)):
        found = await call(graphql, admin, name, wallet=id, **input)
        assert (found["__typename"], found["code"]) == ("NotFoundError", "NOT_FOUND")
    assert await count(graphql, "wallets") == 0


async def test_wallets_are_seen_by_those_they_concern(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    governor = replace(user, organization_role=MemberRole.ADMIN)
    ours = global_id("Organization", user.organization_id or user.user_id)
    await call(graphql, admin, "creditWallet", wallet=ours, amount="4")
    theirs = (await call(graphql, admin, "creditWallet", wallet=of(admin), amount="5"))["entry"]
    document = "{ viewer { organization { wallet { balance } } } }"
    node = "query ($id: ID!) { node(id: $id) { id } }"

    assert (await graphql.data(ONE, governor, id=ours))["wallet"]["balance"] == "4"
    assert (await graphql.data(document, governor))["viewer"]["organization"]["wallet"] == {
        "balance": "4"
    }
    assert (await graphql.data(document, user))["viewer"]["organization"]["wallet"] is None
    assert (await graphql.data(ONE, admin, id=ours))["wallet"]["kind"] == "ORGANIZATION"
    for caller in (user, governor):
        assert await graphql.data(ONE, caller, id=of(admin)) == {"wallet": None}
        assert await graphql.data(node, caller, id=theirs["id"]) == {"node": None}
    assert await graphql.data(ONE, user, id=ours) == {"wallet": None}
    assert (await graphql.data(node, admin, id=theirs["id"]))["node"] == {"id": theirs["id"]}


async def test_the_ledger_comes_in_pages_with_as_many_statements(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    for n in range(1, 13):
        paid = await call(graphql, admin, "creditWallet", wallet=of(user), amount=str(n))
        if n % 2:
            await call(graphql, admin, "refundTransfer", entry=paid["entry"]["id"], amount="0.5")

    page = await graphql.data(LEDGER, admin, id=of(user), first=2)
    cursor = page["wallet"]["entries"]["pageInfo"]["endCursor"]
    following = await graphql.data(LEDGER, admin, id=of(user), first=2, after=cursor)
    counts = []
    for size in (2, 100):
        with graphql.statements() as sent:
            data = await graphql.data(LEDGER, admin, id=of(user), first=size)
        counts.append(len(sent))

    assert [n["amount"] for n in page["wallet"]["entries"]["nodes"]] == ["12", "-0.5"]
    assert [n["amount"] for n in following["wallet"]["entries"]["nodes"]] == ["11", "10"]
    assert page["wallet"]["entries"]["nodes"][0]["actor"] == {"name": "Ada"}
    assert data["wallet"]["entries"]["totalCount"] == 18
    assert counts[0] == counts[1]
