"""Webhooks: who is told of what, and how each delivery went."""

import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import webhook as queries
from db.queries.delivery import DeliveryQuery
from db.queries.webhook import WebhookQuery
from domain.reach import reach_of
from schema.context import Context, Info
from schema.enums import EventType
from schema.fields import attribute, edge, object_type
from schema.listing import Listing, Slice
from schema.node import Node, global_id, key_or_nobody
from schema.organization import Organization
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    OrderDirection,
    PageArguments,
)
from schema.webhook_delivery import (
    DELIVERIES,
    WebhookDelivery,
    WebhookDeliveryFilter,
    WebhookDeliveryOrder,
    deliveries_asked,
)


@object_type(
    Policy.ORG_ADMIN,
    description="A receiver of events by HTTP, signed as Standard Webhooks describes. A delivery"
    " that fails is tried again, eleven times in three days; a receiver that fails for three days"
    " or says that it is gone (410) is switched off.",
)
class Webhook(Node):
    key: strawberry.Private[uuid.UUID]
    organization_key: strawberry.Private[uuid.UUID | None]
    name: str
    url: str
    event_types: list[EventType] = attribute(size=len(EventType))
    enabled: bool
    disabled_reason: str | None = attribute(
        description="Why Fairlead switched it off; null when nobody but a person did."
    )
    failing_since: datetime | None = attribute(
        description="The first failure after the last success; null while it answers."
    )
    version: int = attribute(description="Counts updates; see `expectedVersion`.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Webhook", row.id),
            key=row.id,
            organization_key=row.organization_id,
            name=row.name,
            url=row.url,
            event_types=[EventType(each) for each in row.event_types],
            enabled=row.enabled,
            disabled_reason=row.disabled_reason,
            failing_since=row.failing_since,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.webhooks_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Whose events it hears; null: those of the whole installation.",
        graphql_type=Organization | None,
    )
    def organization(self, info: Info) -> Awaitable[Any] | None:
        if self.organization_key is None:
            return None
        return info.context.load(Organization.fetch, self.organization_key)

    @edge(
        description="What was or is to be sent, the newest first; kept for 30 days.",
        graphql_type=Connection[WebhookDelivery],
        size=20,
    )
    def deliveries(
        self,
        info: Info,
        filter: WebhookDeliveryFilter | None = None,
        order_by: WebhookDeliveryOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[WebhookDelivery]]:
        asked: DeliveryQuery = deliveries_asked(filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return DELIVERIES.load(info.context, Slice(self.key, asked, arguments))


@strawberry.input(description="Which webhooks; what is left out does not narrow.")
class WebhookFilter:
    search: str | None = strawberry.field(default=None, description="Part of the name or the URL.")
    organization: strawberry.ID | None = None
    of_installation: bool = strawberry.field(
        default=False, description="Only those that hear of the whole installation."
    )
    event_type: EventType | None = None
    enabled: bool | None = None


@strawberry.enum(description="What webhooks are ordered by.")
class WebhookOrderField(StrEnum):
    CREATED = "CREATED"
    NAME = "NAME"


@strawberry.input(description="In which order webhooks come.")
class WebhookOrder:
    field: WebhookOrderField
    direction: OrderDirection = OrderDirection.ASC


def webhooks_asked(
    context: Context, filter: WebhookFilter | None, order: WebhookOrder | None
) -> WebhookQuery:
    """Filter and order as the query's own value, within what the caller may see."""
    query = WebhookQuery(reach_of(context.caller))
    if filter is not None:
        asked = filter.organization
        query = replace(
            query,
            organization=None if asked is None else key_or_nobody("Organization", asked),
            of_installation=filter.of_installation,
            event_type=None if filter.event_type is None else filter.event_type.value,
            enabled=filter.enabled,
            search=filter.search,
        )
    if order is not None:
        falling = order.direction is OrderDirection.DESC
        query = replace(query, order=order.field, descending=falling)
    return query


def _plan(context: Context, asked: WebhookQuery) -> tuple[Listed, Ordering]:
    return queries.webhooks(asked)


WEBHOOKS = Listing(_plan, Webhook.of)
