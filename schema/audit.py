"""The audit log: who changed what, before and after."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import audit as queries
from db.queries.audit import AuditQuery
from domain.audit import type_name
from schema.apikey import ApiKey
from schema.context import Context, Info
from schema.enums import AuditAction, AuditObject
from schema.fields import attribute, edge, object_type
from schema.listing import Listing
from schema.node import NOBODY, Node, global_id, key_or_nobody, parse_id
from schema.pagination import OrderDirection
from schema.scalars import JSON, BigInt
from schema.user import User


@object_type(
    Policy.ADMIN,
    description="One change, written in its own transaction and never altered. Each entry holds"
    " the hash of the one before it; `fairlead audit verify` checks them all.",
)
class AuditEntry(Node):
    actor_key: strawberry.Private[uuid.UUID | None]
    api_key_key: strawberry.Private[uuid.UUID | None]
    number: BigInt = attribute(description="Counts the changes in the order of their commits.")
    at: datetime
    request_id: str | None = attribute(description="Changes of one request have it in common.")
    action: AuditAction
    object_type: AuditObject
    object_id: strawberry.ID | None = attribute(
        description="For `node(id)`, as long as it is there; null for the catalogue as a whole."
    )
    before: JSON | None = attribute(
        description="What was changed, as it was; null when it was not there. Names and units are"
        " those of the database: prices in pico-USD per token. Secrets are never in it."
    )
    after: JSON | None = attribute(
        description="What was changed, as it became; null when it is gone."
    )
    hash: str = attribute(description="SHA-256 over the hash before and this entry.")

    @classmethod
    def of(cls, row: Row) -> Self:
        object_type = AuditObject(row.object_type)
        return cls(
            id=global_id("AuditEntry", row.id),
            actor_key=row.user_id,
            api_key_key=row.api_key_id,
            number=BigInt(row.number),
            at=row.at,
            request_id=None if row.request_id is None else str(row.request_id),
            action=AuditAction(row.action),
            object_type=object_type,
            object_id=None
            if row.object_id is None
            else global_id(type_name(object_type), row.object_id),
            before=row.before,
            after=row.after,
            hash=row.hash.hex(),
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.entries_by_id(session, keys)
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Who did it; null for the operator's command line and Fairlead itself.",
        graphql_type=User | None,
    )
    def actor(self, info: Info) -> Awaitable[User | None] | None:
        return None if self.actor_key is None else info.context.load(User.fetch, self.actor_key)

    @edge(description="The key they were signed in with.", graphql_type=ApiKey | None)
    def api_key(self, info: Info) -> Awaitable[ApiKey | None] | None:
        if self.api_key_key is None:
            return None
        return info.context.load(ApiKey.fetch, self.api_key_key)


@strawberry.input(description="Which changes; what is left out does not narrow.")
class AuditFilter:
    actor: strawberry.ID | None = strawberry.field(default=None, description="Whose.")
    by_system: bool = strawberry.field(
        default=False, description="Only the operator's and Fairlead's own."
    )
    actions: list[AuditAction] | None = None
    object_types: list[AuditObject] | None = None
    object_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of one object, by its id; it may be gone."
    )
    since: datetime | None = strawberry.field(
        default=None, name="from", description="Then or later."
    )
    until: datetime | None = strawberry.field(default=None, name="to", description="Before then.")


@strawberry.enum(description="What changes are ordered by.")
class AuditOrderField(StrEnum):
    NUMBER = "NUMBER"


@strawberry.input(description="In which order changes come.")
class AuditOrder:
    field: AuditOrderField = AuditOrderField.NUMBER
    direction: OrderDirection = OrderDirection.DESC


def entries_asked(filter: AuditFilter | None, order: AuditOrder | None) -> AuditQuery:
    """Filter and order as the query's own value; the newest come first."""
    given = filter or AuditFilter()
    return AuditQuery(
        user=None if given.actor is None else key_or_nobody("User", given.actor),
        by_system=given.by_system,
        actions=None if given.actions is None else tuple(given.actions),
        object_types=None if given.object_types is None else tuple(given.object_types),
        object=None if given.object_id is None else _any_key(given.object_id),
        since=given.since,
        until=given.until,
        descending=order is None or order.direction is OrderDirection.DESC,
    )


def _any_key(id: str) -> uuid.UUID:
    parsed = parse_id(id)
    return NOBODY if parsed is None else parsed[1]


def _plan(context: Context, asked: AuditQuery) -> tuple[Listed, Ordering]:
    return queries.entries(asked)


AUDIT_LOG = Listing(_plan, AuditEntry.of)
