"""Tenants: they own keys, rules, wallets and limits."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import credential as credentials
from db.queries import organization as queries
from db.queries.credential import CredentialQuery
from db.queries.organization import OrganizationQuery
from domain.limits import limits_of
from domain.reach import reach_of
from schema.context import Context, Info
from schema.credential import (
    Credential,
    CredentialFilter,
    CredentialOrder,
    credentials_asked,
)
from schema.enums import KeyOwner
from schema.fields import attribute, edge, object_type
from schema.limits import Limits
from schema.listing import Listing, Slice
from schema.membership import MEMBERS, MemberFilter, Membership, members_asked
from schema.node import Node, global_id
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    OrderDirection,
    PageArguments,
)
from schema.wallet import Wallet


def _organizations_keys(context: Context, asked: CredentialQuery) -> tuple[Listed, Ordering]:
    return credentials.own_credentials(KeyOwner.ORGANIZATION, asked, reach_of(context.caller))


ORGANIZATIONS_KEYS = Listing(_organizations_keys, Credential.of)


@object_type(Policy.SELF, description="A tenant: owns keys, rules, wallets and limits.")
class Organization(Node):
    key: strawberry.Private[uuid.UUID]
    slug: str
    name: str
    group_name: str | None = attribute(
        description="The identity provider's group it follows; null when it was made by hand."
    )
    version: int = attribute(description="Counts updates; see `expectedVersion`.")
    limits: Limits
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Organization", row.id),
            key=row.id,
            slug=row.slug,
            name=row.name,
            group_name=row.group_name,
            version=row.version,
            limits=Limits.of(limits_of(row.limits)),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.organizations_by_id(session, keys, context.caller)
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Its members, by name.",
        policy=Policy.ORG_ADMIN,
        graphql_type=Connection[Membership],
        size=20,
    )
    def members(
        self,
        info: Info,
        filter: MemberFilter | None = None,
        direction: OrderDirection = OrderDirection.ASC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[Membership]]:
        asked = members_asked(filter, direction)
        arguments = PageArguments(first, after, last, before)
        return MEMBERS.load(info.context, Slice(self.key, asked, arguments))

    @edge(description="Its credits; null unless you govern it.", graphql_type=Wallet | None)
    def wallet(self, info: Info) -> Awaitable[Wallet | None]:
        return info.context.load(Wallet.fetch, self.key)

    @edge(
        description="Its own keys at providers, masked.",
        policy=Policy.ORG_ADMIN,
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
        return ORGANIZATIONS_KEYS.load(info.context, Slice(self.key, asked, arguments))


@strawberry.input(description="Which organisations; what is left out does not narrow.")
class OrganizationFilter:
    search: str | None = strawberry.field(default=None, description="Part of the slug or the name.")


@strawberry.enum(description="What organisations are ordered by.")
class OrganizationOrderField(StrEnum):
    SLUG = "SLUG"
    NAME = "NAME"
    CREATED = "CREATED"


@strawberry.input(description="In which order organisations come.")
class OrganizationOrder:
    field: OrganizationOrderField
    direction: OrderDirection = OrderDirection.ASC


def organizations_asked(
    filter: OrganizationFilter | None, order: OrganizationOrder | None
) -> OrganizationQuery:
    """Filter and order as the query's own value."""
    search = None if filter is None else filter.search
    if order is None:
        return OrganizationQuery(search)
    return OrganizationQuery(search, order.field, order.direction is OrderDirection.DESC)


def _plan(context: Context, asked: OrganizationQuery) -> tuple[Listed, Ordering]:
    return queries.organizations(asked)


ORGANIZATIONS = Listing(_plan, Organization.of)
