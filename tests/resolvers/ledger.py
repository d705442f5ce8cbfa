"""Wallets as administrators move them, for tests."""

import itertools
from typing import Any

from sqlalchemy import func, select, text

from db.models.wallet import HOUSE, Entry, Wallet
from domain.principal import Principal
from schema.node import global_id
from tests.resolvers.conftest import GraphQL

_keys = itertools.count()

WALLET = "balance held available creditLimit debt frozen frozenReason kind"
ENTRY = "id kind amount balance refunded reason"
ERROR = "__typename ... on Error { code message retryable }"


def payload(name: str) -> str:
    entry = f"entry {{ {ENTRY} }}" if name in MOVES else ""
    kind = f"{name[0].upper()}{name[1:]}Payload"
    return f"... on {kind} {{ {entry} wallet {{ id version {WALLET} }} }}"


MOVES = ("creditWallet", "adjustWallet", "refundTransfer")


async def call(graphql: GraphQL, caller: Principal | None, name: str, **input: Any) -> Any:
    """A mutation of wallets; movements get a key and a reason where they have none."""
    if name in MOVES:
        input = {"reason": "test", "idempotencyKey": f"key-{next(_keys)}", **input}
    kind = f"{name[0].upper()}{name[1:]}Input"
    field = "" if name == "unfreezeWallet" else "... on InvalidInputError { field }"
    asked = f"{ERROR} {field} {payload(name)}"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {asked} }} }}"
    return (await graphql.data(document, caller, input=input))[name]


def of(person: Principal) -> str:
    """The id that names their wallet."""
    return global_id("User", person.user_id)


async def count(graphql: GraphQL, table: str) -> int:
    async with graphql.database.read(None) as session:
        return await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


async def check(graphql: GraphQL) -> None:
    """Every wallet is what its entries say, and nothing came out of nothing."""
    async with graphql.database.read(None) as session:
        sums = select(Entry.wallet_id, func.sum(Entry.amount)).group_by(Entry.wallet_id)
        moved = {id: int(amount) for id, amount in await session.execute(sums)}
        found = await session.execute(select(Wallet.id, Wallet.posted))
        posted = {row.id: row.posted for row in found}
    assert {id: amount for id, amount in posted.items() if amount} == {
        id: amount for id, amount in moved.items() if amount
    }
    assert sum(posted.values()) == 0
    assert not posted or HOUSE in posted
