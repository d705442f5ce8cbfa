"""Wallets: what a person or an organisation has, what is set aside, and every movement."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import wallet as queries
from domain.reach import reach_of
from domain.wallet import TransferKind, available, debt
from schema.context import Context, Info
from schema.enums import WalletKind
from schema.fields import attribute, edge, object_type
from schema.listing import Listing, Slice
from schema.node import Node, global_id, load_node
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    OrderDirection,
    PageArguments,
)
from schema.scalars import USD

if TYPE_CHECKING:
    from schema.organization import Organization
    from schema.usage import UsageRecord
    from schema.user import User

strawberry.enum(
    TransferKind,
    description="Why credits moved. TOP_UP: paid in. GRANT: given. ADJUST: put right. REFUND: an"
    " earlier one reversed, in part or whole. CHARGE: what a request cost.",
)


@object_type(Policy.SELF, description="A movement of credits; never altered.")
class WalletEntry(Node):
    row: strawberry.Private[Any]
    kind: TransferKind
    amount: USD = attribute(description="What the wallet gained, or below 0 lost.")
    balance: USD = attribute(description="Of the wallet, right after it.")
    refunded: USD = attribute(description="How much of it has been refunded since.")
    reason: str | None = attribute(description="As whoever made it said; null for charges.")
    at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("WalletEntry", row.id),
            row=row,
            kind=TransferKind(row.kind),
            amount=USD(row.amount),
            balance=USD(row.balance),
            refunded=USD(row.refunded),
            reason=row.reason,
            at=row.created_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.movements_by_transfer(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Who made it; null for charges, and for people who are not yours to see.",
        graphql_type=Annotated["User", strawberry.lazy("schema.user")] | None,
    )
    def actor(self, info: Info) -> Awaitable[Any] | None:
        actor = self.row.actor_id
        return None if actor is None else load_node(info, "User", actor)

    @edge(
        description="The request that a charge is for, as long as its record is kept.",
        graphql_type=Annotated["UsageRecord", strawberry.lazy("schema.usage")] | None,
    )
    def request(self, info: Info) -> Awaitable[Any] | None:
        if self.kind is not TransferKind.CHARGE:
            return None
        return load_node(info, "UsageRecord", self.row.id)

    @edge(
        description="What a refund reverses.",
        graphql_type=Annotated["WalletEntry", strawberry.lazy("schema.wallet")] | None,
    )
    def refers_to(self, info: Info) -> Awaitable[Any] | None:
        earlier = self.row.refers_to
        return None if earlier is None else load_node(info, "WalletEntry", earlier)


@strawberry.enum(description="What movements are ordered by.")
class WalletEntryOrderField(StrEnum):
    NUMBER = "NUMBER"


@strawberry.input(description="In which order movements come.")
class WalletEntryOrder:
    field: WalletEntryOrderField = WalletEntryOrderField.NUMBER
    direction: OrderDirection = OrderDirection.DESC


def _plan(context: Context, descending: bool) -> tuple[Listed, Ordering]:
    return queries.movements(descending=descending)


WALLET_ENTRIES = Listing(_plan, WalletEntry.of)


@object_type(
    Policy.SELF,
    description="Credits of a person or an organisation, in US dollars. Requests on the house's"
    " provider keys hold their worst case while they run and are charged what they cost.",
)
class Wallet(Node):
    key: strawberry.Private[uuid.UUID]
    kind: WalletKind
    balance: USD = attribute(description="What was paid in, less what was charged.")
    held: USD = attribute(description="Set aside for requests under way.")
    available: USD = attribute(
        description="What new requests may hold: balance, less held, plus the credit limit."
    )
    credit_limit: USD = attribute(description="How far the balance may fall below 0.")
    debt: USD = attribute(
        description="By how much requests that cost more than was held have overdrawn it."
    )
    frozen: bool = attribute(description="Whether no request may use it until it is set free.")
    frozen_reason: str | None
    version: int = attribute(description="For `expectedVersion`.")

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Wallet", row.id),
            key=row.id,
            kind=WalletKind(row.kind),
            balance=USD(row.posted),
            held=USD(row.held),
            available=USD(available(row)),
            credit_limit=USD(row.credit_limit),
            debt=USD(debt(row)),
            frozen=row.frozen,
            frozen_reason=row.frozen_reason,
            version=row.version,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.wallets_by_owner(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Whose it is, when a person's.",
        graphql_type=Annotated["User", strawberry.lazy("schema.user")] | None,
    )
    def user(self, info: Info) -> Awaitable[Any] | None:
        return load_node(info, "User", self.key) if self.kind is WalletKind.USER else None

    @edge(
        description="Whose it is, when an organisation's.",
        graphql_type=Annotated["Organization", strawberry.lazy("schema.organization")] | None,
    )
    def organization(self, info: Info) -> Awaitable[Any] | None:
        if self.kind is not WalletKind.ORGANIZATION:
            return None
        return load_node(info, "Organization", self.key)

    @edge(
        description="Every movement, the newest first.",
        graphql_type=Connection[WalletEntry],
        size=20,
    )
    def entries(
        self,
        info: Info,
        order_by: WalletEntryOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[WalletEntry]]:
        descending = order_by is None or order_by.direction is OrderDirection.DESC
        arguments = PageArguments(first, after, last, before)
        return WALLET_ENTRIES.load(info.context, Slice(self.key, descending, arguments))
