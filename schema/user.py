"""People."""

import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import credential as credentials
from db.queries import user as queries
from db.queries.credential import CredentialQuery
from db.queries.user import UserQuery
from domain.limits import limits_of
from domain.reach import reach_of
from domain.user import BY_HAND
from schema.context import Context, Info
from schema.credential import (
    Credential,
    CredentialFilter,
    CredentialOrder,
    credentials_asked,
)
from schema.enums import KeyOwner, Role
from schema.fields import attribute, edge, object_type
from schema.limits import Limits
from schema.listing import Listing, Slice
from schema.membership import MEMBERSHIPS, Membership
from schema.node import Node, global_id, key_or_nobody
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    OrderDirection,
    PageArguments,
)
from schema.settings import UserSettings, settings_of
from schema.wallet import Wallet


def _users_keys(context: Context, asked: CredentialQuery) -> tuple[Listed, Ordering]:
    return credentials.own_credentials(KeyOwner.USER, asked, reach_of(context.caller))


USERS_KEYS = Listing(_users_keys, Credential.of)


@object_type(Policy.SELF, description="A person.")
class User(Node):
    key: strawberry.Private[uuid.UUID]
    name: str
    email: str | None
    role: Role
    enabled: bool = attribute(description="Else neither their sign-in nor their keys are taken.")
    issuer: str | None = attribute(
        description="The identity provider that vouches for them, whom name, address and role"
        " follow; null for people made by hand."
    )
    last_seen_at: datetime | None = attribute(
        description="When a new token of theirs was last taken; null for never."
    )
    version: int = attribute(description="Counts updates; see `expectedVersion`.")
    limits: Limits
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("User", row.id),
            key=row.id,
            name=row.name,
            email=row.email,
            role=Role(row.role),
            enabled=row.enabled,
            issuer=None if row.issuer == BY_HAND else row.issuer,
            last_seen_at=row.last_seen_at,
            version=row.version,
            limits=Limits.of(limits_of(row.limits)),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.users_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="The organisations they are in, by slug, of those the caller may see.",
        graphql_type=Connection[Membership],
        size=20,
    )
    def memberships(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[Membership]]:
        arguments = PageArguments(first, after, last, before)
        return MEMBERSHIPS.load(info.context, Slice(self.key, None, arguments))

    @edge(
        description="What they chose for themselves; null when it is not yours to see.",
        graphql_type=UserSettings | None,
    )
    def settings(self, info: Info) -> Awaitable[UserSettings] | None:
        caller = info.context.caller
        if self.key != caller.user_id and not caller.is_admin:
            return None
        return info.context.load(settings_of, self.key)

    @edge(
        description="Their own credits; null when they are not yours to see.",
        graphql_type=Wallet | None,
    )
    def wallet(self, info: Info) -> Awaitable[Wallet | None]:
        return info.context.load(Wallet.fetch, self.key)

    @edge(
        description="Their own keys at providers, masked.",
        graphql_type=Connection[Credential],
        size=20,
    )
    def byok_keys(
        self,
        info: Info,
        filter: CredentialFilter | None = None,
        order_by: CredentialOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[Credential]]:
        asked = credentials_asked(filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return USERS_KEYS.load(info.context, Slice(self.key, asked, arguments))


@strawberry.input(description="Which people; what is left out does not narrow.")
class UserFilter:
    search: str | None = strawberry.field(
        default=None, description="Part of the name or the address."
    )
    roles: list[Role] | None = None
    enabled: bool | None = None
    organization: strawberry.ID | None = strawberry.field(default=None, description="Its members.")


@strawberry.enum(description="What people are ordered by.")
class UserOrderField(StrEnum):
    NAME = "NAME"
    CREATED = "CREATED"


@strawberry.input(description="In which order people come.")
class UserOrder:
    field: UserOrderField
    direction: OrderDirection = OrderDirection.ASC


def users_asked(filter: UserFilter | None, order: UserOrder | None) -> UserQuery:
    """Filter and order as the query's own value."""
    given = filter or UserFilter()
    query = UserQuery(
        search=given.search,
        roles=None if given.roles is None else tuple(given.roles),
        enabled=given.enabled,
        organization=None
        if given.organization is None
        else key_or_nobody("Organization", given.organization),
    )
    if order is None:
        return query
    falling = order.direction is OrderDirection.DESC
    return replace(query, order=order.field, descending=falling)


def _plan(context: Context, asked: UserQuery) -> tuple[Listed, Ordering]:
    return queries.users(asked)


USERS = Listing(_plan, User.of)
