"""Fairlead's own API keys, for applications and for people."""

import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import apikey as queries
from db.queries.apikey import ApiKeyQuery
from domain.apikey import MOST_MODELS
from domain.limits import limits_of
from domain.reach import reach_of
from schema.context import Context, Info
from schema.enums import Scope
from schema.fields import attribute, edge, object_type
from schema.limits import Limits
from schema.listing import Listing
from schema.node import NOBODY, Node, global_id, key_or_nobody
from schema.organization import Organization
from schema.pagination import OrderDirection
from schema.user import User

CACHED = (
    "For so many seconds exact repeats of a request are answered with what was answered first, for"
    " nothing, within the wallet that pays; null: never."
)


@strawberry.enum(description="Whether a key is taken.")
class ApiKeyState(StrEnum):
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


@object_type(
    Policy.SELF,
    description="A key that signs in to `/v1` and to this schema. Only a hash of it is kept.",
)
class ApiKey(Node):
    user_key: strawberry.Private[uuid.UUID]
    organization_key: strawberry.Private[uuid.UUID | None]
    name: str
    prefix: str = attribute(description="How its text begins, to recognise it by.")
    state: ApiKeyState
    scopes: list[Scope] = attribute(description="What it may be used for.", size=len(Scope))
    allowed_models: list[str] | None = attribute(
        description="References and aliases it may name; null for any.", size=MOST_MODELS
    )
    limits: Limits
    created_at: datetime
    expires_at: datetime | None = attribute(description="Null: never.")
    cache_seconds: int | None = attribute(description=CACHED)
    previous_until: datetime | None = attribute(
        description="Until then the text before the last rotation is taken as well."
    )
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("ApiKey", row.id),
            user_key=row.user_id,
            organization_key=row.organization_id,
            name=row.name,
            prefix=f"fl_{row.public_id}_",
            state=_state(row),
            scopes=[Scope(scope) for scope in row.scopes],
            allowed_models=row.allowed_models,
            limits=Limits.of(limits_of(row.limits)),
            created_at=row.created_at,
            expires_at=row.expires_at,
            cache_seconds=row.cache_seconds,
            previous_until=row.previous_until,
            revoked_at=row.revoked_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.api_keys_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(description="Whose key it is.", graphql_type=User)
    def user(self, info: Info) -> Awaitable[User | None]:
        return info.context.load(User.fetch, self.user_key)

    @edge(description="The organisation it acts for.", graphql_type=Organization | None)
    def organization(self, info: Info) -> Awaitable[Organization | None] | None:
        if self.organization_key is None:
            return None
        return info.context.load(Organization.fetch, self.organization_key)


def _state(row: Row) -> ApiKeyState:
    if row.revoked_at is not None:
        return ApiKeyState.REVOKED
    expired = row.expires_at is not None and row.expires_at <= datetime.now(UTC)
    return ApiKeyState.EXPIRED if expired else ApiKeyState.ACTIVE


@strawberry.input(
    description="Which keys; without `user`, `organization` and `everybody` the caller's own."
)
class ApiKeyFilter:
    search: str | None = strawberry.field(default=None, description="Part of the name.")
    states: list[ApiKeyState] | None = None
    user: strawberry.ID | None = strawberry.field(
        default=None, description="Somebody's; others' keys are for administrators to see."
    )
    organization: strawberry.ID | None = strawberry.field(
        default=None, description="Everybody's for this organisation, for its administrators."
    )
    everybody: bool = strawberry.field(
        default=False, description="Everybody's, for administrators; else the caller's own."
    )


@strawberry.enum(description="What keys are ordered by.")
class ApiKeyOrderField(StrEnum):
    CREATED = "CREATED"
    NAME = "NAME"


@strawberry.input(description="In which order API keys come.")
class ApiKeyOrder:
    field: ApiKeyOrderField
    direction: OrderDirection = OrderDirection.ASC


def keys_asked(
    context: Context, filter: ApiKeyFilter | None, order: ApiKeyOrder | None
) -> ApiKeyQuery:
    """Filter and order as the query's own value, within what the caller may see."""
    caller, given = context.caller, filter or ApiKeyFilter()
    whose: uuid.UUID | None = caller.user_id
    where = None
    if given.organization is not None:
        where = key_or_nobody("Organization", given.organization)
    governs = caller.is_admin or (where is not None and where == reach_of(caller).organization)
    if given.user is not None:
        wanted = key_or_nobody("User", given.user)
        whose = wanted if governs or wanted == caller.user_id else NOBODY
    elif governs and (where is not None or given.everybody):
        whose = None
    query = ApiKeyQuery(
        user=whose,
        organization=where,
        search=given.search,
        states=None if given.states is None else tuple(given.states),
    )
    if order is None:
        return query
    falling = order.direction is OrderDirection.DESC
    return replace(query, order=order.field, descending=falling)


def _plan(context: Context, asked: ApiKeyQuery) -> tuple[Listed, Ordering]:
    return queries.api_keys(asked)


API_KEYS = Listing(_plan, ApiKey.of)
