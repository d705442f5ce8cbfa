"""Who is in which organisation, seen from either side."""

import uuid
from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import membership as queries
from db.queries.membership import MemberQuery
from domain.reach import reach_of
from schema.context import Context, Info
from schema.enums import MemberOrigin, MemberRole
from schema.errors import ConflictError, NotFoundError
from schema.fields import edge, object_type, result
from schema.idempotency import idempotency_key
from schema.listing import Listing
from schema.node import load_node
from schema.pagination import OrderDirection

if TYPE_CHECKING:
    from schema.organization import Organization
    from schema.user import User


@object_type(Policy.SELF, description="A person in an organisation.")
class Membership:
    organization_key: strawberry.Private[uuid.UUID]
    user_key: strawberry.Private[uuid.UUID]
    role: MemberRole
    origin: MemberOrigin
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            organization_key=row.organization_id,
            user_key=row.user_id,
            role=MemberRole(row.role),
            origin=MemberOrigin(row.origin),
            created_at=row.created_at,
        )

    @edge(
        description="Where.",
        graphql_type=Annotated["Organization", strawberry.lazy("schema.organization")],
    )
    def organization(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Organization", self.organization_key)

    @edge(description="Who.", graphql_type=Annotated["User", strawberry.lazy("schema.user")])
    def user(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "User", self.user_key)


@strawberry.input(description="Which members; what is left out does not narrow.")
class MemberFilter:
    search: str | None = strawberry.field(
        default=None, description="Part of the name or the address."
    )
    roles: list[MemberRole] | None = None


def members_asked(filter: MemberFilter | None, direction: OrderDirection) -> MemberQuery:
    """Filter and direction as the query's own value."""
    given = filter or MemberFilter()
    roles = None if given.roles is None else tuple(given.roles)
    return MemberQuery(given.search, roles, direction is OrderDirection.DESC)


def _members(context: Context, asked: MemberQuery) -> tuple[Listed, Ordering]:
    return queries.members(asked, reach_of(context.caller))


def _memberships(context: Context, asked: None) -> tuple[Listed, Ordering]:
    return queries.memberships(reach_of(context.caller))


MEMBERS = Listing(_members, Membership.of)
MEMBERSHIPS = Listing(_memberships, Membership.of)


@strawberry.input(description="Whom to put where; it stays, whatever their tokens say.")
class AddMemberInput:
    organization: strawberry.ID
    user: strawberry.ID
    role: MemberRole = MemberRole.MEMBER
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Another role for a member who was added by hand.")
class UpdateMemberInput:
    organization: strawberry.ID
    user: strawberry.ID
    role: MemberRole


@strawberry.input(description="Which member to take out; only those who were added by hand.")
class RemoveMemberInput:
    organization: strawberry.ID
    user: strawberry.ID


@object_type(Policy.SELF, description="The new membership.")
class AddMemberPayload:
    membership: Membership


@object_type(Policy.SELF, description="The membership as it is now.")
class UpdateMemberPayload:
    membership: Membership


@object_type(Policy.SELF, description="Who is no longer a member, and where.")
class RemoveMemberPayload:
    organization_id: strawberry.ID
    user_id: strawberry.ID


AddMemberResult = Annotated[
    AddMemberPayload | NotFoundError | ConflictError, result("AddMemberResult")
]

UpdateMemberResult = Annotated[
    UpdateMemberPayload | NotFoundError | ConflictError, result("UpdateMemberResult")
]

RemoveMemberResult = Annotated[
    RemoveMemberPayload | NotFoundError | ConflictError, result("RemoveMemberResult")
]
