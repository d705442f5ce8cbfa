"""Who is asking: the person, the organisation, and what they may do."""

from collections.abc import Awaitable
from typing import Self

import strawberry

from auth.policies import Policy
from domain.principal import Principal
from schema.context import Info
from schema.credential import (
    Credential,
    CredentialFilter,
    CredentialOrder,
    credentials_asked,
)
from schema.enums import MemberRole, Role, Scope, WalletKind
from schema.fields import attribute, edge, object_type
from schema.listing import Slice
from schema.membership import MEMBERSHIPS, Membership
from schema.organization import Organization
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.settings import UserSettings, settings_of
from schema.user import USERS_KEYS, User
from schema.wallet import Wallet


@object_type(Policy.SELF, description="Who is asking, and what this sign-in may do.")
class Viewer:
    principal: strawberry.Private[Principal]
    role: Role
    organization_role: MemberRole | None
    scopes: list[Scope] = attribute(
        description="What the key they signed in with may be used for.", size=len(Scope)
    )
    paid_by: WalletKind = attribute(
        description="Whose wallet pays for requests with this sign-in: the organisation's when the"
        " key belongs to one, else the person's."
    )

    @classmethod
    def of(cls, principal: Principal) -> Self:
        return cls(
            principal=principal,
            role=principal.role,
            organization_role=principal.organization_role,
            scopes=sorted(principal.scopes),
            paid_by=WalletKind.USER
            if principal.payer_id == principal.user_id
            else WalletKind.ORGANIZATION,
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

    @edge(
        description="Every organisation they are in, by slug.",
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
        return MEMBERSHIPS.load(info.context, Slice(self.principal.user_id, None, arguments))

    @edge(
        description="The person's own credits. `paidBy` says whether requests with this sign-in"
        " are paid from here.",
        graphql_type=Wallet,
    )
    def wallet(self, info: Info) -> Awaitable[Wallet | None]:
        return info.context.load(Wallet.fetch, self.principal.user_id)

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
