"""Who is asking: the person, the organisation, and what they may do."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import credential as credentials
from db.queries import viewer as queries
from db.queries.credential import CredentialQuery
from domain.principal import Principal
from domain.reach import reach_of
from schema.context import Context, Info
from schema.credential import (
    Credential,
    CredentialFilter,
    CredentialOrder,
    credentials_asked,
)
from schema.enums import KeyOwner, MemberRole, Role, Scope
from schema.fields import attribute, edge, object_type
from schema.listing import Listing, Slice
from schema.node import Node, global_id
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.settings import UserSettings, settings_of


def _users_keys(context: Context, asked: CredentialQuery) -> tuple[Listed, Ordering]:
    return credentials.own_credentials(KeyOwner.USER, asked, reach_of(context.caller))


def _organizations_keys(context: Context, asked: CredentialQuery) -> tuple[Listed, Ordering]:
    return credentials.own_credentials(KeyOwner.ORGANIZATION, asked, reach_of(context.caller))


USERS_KEYS = Listing(_users_keys, Credential.of)
ORGANIZATIONS_KEYS = Listing(_organizations_keys, Credential.of)


@object_type(Policy.SELF, description="A person.")
class User(Node):
    key: strawberry.Private[uuid.UUID]
    name: str
    email: str | None
    role: Role
    enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("User", row.id),
            key=row.id,
            name=row.name,
            email=row.email,
            role=Role(row.role),
            enabled=row.enabled,
            created_at=row.created_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.users_by_id(session, keys, context.caller)
        return [cls.of(found[key]) if key in found else None for key in keys]

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


@object_type(Policy.SELF, description="A tenant: owns keys, rules, wallets and limits.")
class Organization(Node):
    key: strawberry.Private[uuid.UUID]
    slug: str
    name: str
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Organization", row.id),
            key=row.id,
            slug=row.slug,
            name=row.name,
            created_at=row.created_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.organizations_by_id(session, keys, context.caller)
        return [cls.of(found[key]) if key in found else None for key in keys]

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


@object_type(Policy.SELF, description="Who is asking, and what this sign-in may do.")
class Viewer:
    principal: strawberry.Private[Principal]
    role: Role
    organization_role: MemberRole | None
    scopes: list[Scope] = attribute(
        description="What the key they signed in with may be used for.", size=len(Scope)
    )

    @classmethod
    def of(cls, principal: Principal) -> Self:
        return cls(
            principal=principal,
            role=principal.role,
            organization_role=principal.organization_role,
            scopes=sorted(principal.scopes),
        )

    @edge(description="The person.", graphql_type=User)
    def user(self, info: Info) -> Awaitable[User | None]:
        return info.context.load(User.fetch, self.principal.user_id)

    @edge(description="The organisation they act for.", graphql_type=Organization | None)
    def organization(self, info: Info) -> Awaitable[Organization | None] | None:
        organization_id = self.principal.organization_id
        if organization_id is None:
            return None
        return info.context.load(Organization.fetch, organization_id)

    @edge(description="What they chose for themselves.", graphql_type=UserSettings)
    def settings(self, info: Info) -> Awaitable[UserSettings]:
        return info.context.load(settings_of, self.principal.user_id)

    @edge(
        description="The person's own keys at providers, masked.",
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
        return USERS_KEYS.load(info.context, Slice(self.principal.user_id, asked, arguments))
