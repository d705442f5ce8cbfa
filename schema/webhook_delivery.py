"""Deliveries of webhooks: one event for one receiver, with every attempt."""

import uuid
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

import msgspec
import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import delivery as queries
from db.queries.delivery import DeliveryQuery
from domain.delivery import RETRIES
from domain.reach import reach_of
from schema.context import Context, Info
from schema.enums import DeliveryState, EventType
from schema.fields import attribute, edge, object_type
from schema.listing import Listing
from schema.node import Node, global_id, load_node
from schema.pagination import OrderDirection
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.webhook import Webhook


@object_type(Policy.ORG_ADMIN, description="One try to deliver. What was answered is not kept.")
class WebhookAttempt:
    at: datetime
    status: int | None = attribute(description="Null when it never answered.")
    latency_ms: int
    error: str | None = attribute(description="Why it failed; null when it did not.")

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            at=datetime.fromisoformat(kept["at"]),
            status=kept["status"],
            latency_ms=kept["latency_ms"],
            error=kept["error"],
        )


@object_type(Policy.ORG_ADMIN, description="One event for one webhook.")
class WebhookDelivery(Node):
    webhook_key: strawberry.Private[uuid.UUID]
    event_id: str = attribute(
        description="The header `webhook-id`: the same at every attempt and in every replay, so"
        " that a receiver can tell what it has seen."
    )
    event_type: EventType
    state: DeliveryState
    payload: JSON = attribute(description="The body, as it is sent.")
    attempts: list[WebhookAttempt] = attribute(
        description="The oldest first.", size=len(RETRIES) + 1
    )
    attempt_count: int
    last_attempt: WebhookAttempt | None = attribute(description="Null before the first has ended.")
    next_attempt_at: datetime | None = attribute(
        description="Null when there is none; while one is under way, its limit."
    )
    replay_of: strawberry.ID | None = attribute(
        description="The delivery of which this is a replay."
    )
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        attempts = [WebhookAttempt.of(each) for each in row.attempts]
        return cls(
            id=global_id("WebhookDelivery", row.id),
            webhook_key=row.webhook_id,
            event_id=f"evt_{row.event_id.hex}",
            event_type=EventType(row.event_type),
            state=DeliveryState(row.state),
            payload=msgspec.json.decode(row.body),
            attempts=attempts,
            attempt_count=len(attempts),
            last_attempt=attempts[-1] if attempts else None,
            next_attempt_at=row.due_at if row.state == DeliveryState.PENDING else None,
            replay_of=None
            if row.replay_of is None
            else global_id("WebhookDelivery", row.replay_of),
            created_at=row.created_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.deliveries_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="To whom.",
        graphql_type=Annotated["Webhook", strawberry.lazy("schema.webhook")],
    )
    def webhook(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Webhook", self.webhook_key)


@strawberry.input(description="Which deliveries; what is left out does not narrow.")
class WebhookDeliveryFilter:
    states: list[DeliveryState] | None = None
    event_types: list[EventType] | None = None


@strawberry.enum(description="What deliveries are ordered by.")
class WebhookDeliveryOrderField(StrEnum):
    CREATED = "CREATED"


@strawberry.input(description="In which order deliveries come.")
class WebhookDeliveryOrder:
    field: WebhookDeliveryOrderField = WebhookDeliveryOrderField.CREATED
    direction: OrderDirection = OrderDirection.DESC


def deliveries_asked(
    filter: WebhookDeliveryFilter | None, order: WebhookDeliveryOrder | None
) -> DeliveryQuery:
    """Filter and order as the query's own value; the newest come first."""
    given = filter or WebhookDeliveryFilter()
    return DeliveryQuery(
        states=None if given.states is None else tuple(each.value for each in given.states),
        event_types=None
        if given.event_types is None
        else tuple(each.value for each in given.event_types),
        descending=order is None or order.direction is OrderDirection.DESC,
    )


def _plan(context: Context, asked: DeliveryQuery) -> tuple[Listed, Ordering]:
    return queries.deliveries(asked)


DELIVERIES = Listing(_plan, WebhookDelivery.of)
