"""Keys at providers: stored sealed, shown only masked."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import credential as queries
from db.queries.credential import CredentialQuery
from domain.reach import reach_of
from domain.secret import Secret
from schema.context import Context, Info
from schema.enums import CredentialState, KeyOwner, KeyPolicy
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, edge, object_type, result
from schema.idempotency import idempotency_key
from schema.listing import Listing
from schema.node import Node, global_id, load_node
from schema.pagination import OrderDirection
from schema.scalars import USD

if TYPE_CHECKING:
    from schema.provider import Provider


@object_type(
    Policy.SELF,
    description="A key at a provider. The secret itself is never shown again.",
)
class Credential(Node):
    provider_key: strawberry.Private[uuid.UUID]
    name: str
    owner: KeyOwner
    mask: str = attribute(description="First 3 and last 4 characters; of short keys nothing.")
    fingerprint: str = attribute(description="Equal keys have equal fingerprints.")
    policy: KeyPolicy | None = attribute(
        description="When it is used; null for system keys. Where one owner's keys at a provider"
        " differ, the strictest counts for all: ONLY_MINE, then MINE_THEN_SYSTEM."
    )
    system_spend_per_month: USD | None = attribute(
        description="With MINE_THEN_SYSTEM: what others' keys may cost in a calendar month (UTC)"
        " when this one is at its limit; null for no bound."
    )
    weight: int = attribute(description="Its share of the traffic beside the provider's others.")
    state: CredentialState
    state_reason: str | None = attribute(description="Why it is not used, when it is not.")
    version: int = attribute(description="Counts new secrets; see `expectedVersion`.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Credential", row.id),
            provider_key=row.provider_id,
            name=row.name,
            owner=KeyOwner(row.owner_kind),
            mask=row.mask,
            fingerprint=row.fingerprint,
            policy=None if row.owner_kind == KeyOwner.SYSTEM else KeyPolicy(row.policy),
            system_spend_per_month=row.spend_per_month,
            weight=row.weight,
            state=CredentialState(row.state),
            state_reason=row.state_reason,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.credentials_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Where it is sent.",
        graphql_type=Annotated["Provider", strawberry.lazy("schema.provider")],
    )
    def provider(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Provider", self.provider_key)


@strawberry.input(description="Which keys; what is left out does not narrow.")
class CredentialFilter:
    states: list[CredentialState] | None = None


@strawberry.enum(description="What keys are ordered by.")
class CredentialOrderField(StrEnum):
    CREATED = "CREATED"
    NAME = "NAME"


@strawberry.input(description="In which order keys come.")
class CredentialOrder:
    field: CredentialOrderField
    direction: OrderDirection = OrderDirection.ASC


def credentials_asked(
    filter: CredentialFilter | None, order: CredentialOrder | None
) -> CredentialQuery:
    """Filter and order as the query's own value."""
    states = None if filter is None or filter.states is None else tuple(filter.states)
    if order is None:
        return CredentialQuery(states)
    return CredentialQuery(states, order.field, order.direction is OrderDirection.DESC)


def _plan(context: Context, asked: CredentialQuery) -> tuple[Listed, Ordering]:
    return queries.system_credentials(asked)


SYSTEM_CREDENTIALS = Listing(_plan, Credential.of)


@strawberry.input(description="A system key to store at a provider.")
class CreateCredentialInput:
    provider: strawberry.ID
    secret: Secret
    name: str = strawberry.field(default="default", description="To tell it from others.")
    weight: int = strawberry.field(
        default=1, description="Its share of the traffic beside the provider's others."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What is left out stays as it is.")
class UpdateCredentialInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when the secret has been changed since."
    )
    secret: strawberry.Maybe[Secret] = strawberry.field(
        default=None, description="A new secret takes the old one's place and makes it ACTIVE."
    )
    name: strawberry.Maybe[str]
    weight: strawberry.Maybe[int]
    enabled: strawberry.Maybe[bool]


@strawberry.input(description="Which key to delete.")
class DeleteCredentialInput:
    id: strawberry.ID


@object_type(Policy.ADMIN, description="The key as it is now.")
class CreateCredentialPayload:
    credential: Credential


@object_type(Policy.ADMIN, description="The key as it is now.")
class UpdateCredentialPayload:
    credential: Credential


@object_type(Policy.ADMIN, description="What was deleted.")
class DeleteCredentialPayload:
    deleted_id: strawberry.ID


CreateCredentialResult = Annotated[
    CreateCredentialPayload | InvalidInputError | NotFoundError | ConflictError,
    result("CreateCredentialResult"),
]

UpdateCredentialResult = Annotated[
    UpdateCredentialPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateCredentialResult"),
]

DeleteCredentialResult = Annotated[
    DeleteCredentialPayload | NotFoundError,
    result("DeleteCredentialResult"),
]
