"""The outbox of webhooks: written with the change it tells of, claimed by one process at a time."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ARRAY, Table, Uuid, bindparam, delete, func, insert, select, text, update
from uuid_utils.compat import uuid7

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.webhook import WebhookDelivery
from db.queries.usage import Reach
from db.queries.webhook import WEBHOOKS, in_reach
from db.session import AsyncSession

_DELIVERIES: Table = WebhookDelivery.metadata.tables[WebhookDelivery.__tablename__]

_CLAIM = text(
    """
    WITH due AS (
        SELECT next.id, w.url
        FROM webhooks w CROSS JOIN LATERAL (
            SELECT d.id FROM webhook_deliveries d
            WHERE d.webhook_id = w.id AND d.state = 'PENDING' AND d.due_at <= now()
            ORDER BY d.due_at
            LIMIT CASE WHEN w.failing_since IS NULL THEN :most ELSE 1 END
            FOR UPDATE SKIP LOCKED
        ) next
        WHERE w.enabled AND w.id <> ALL (:busy)
    )
    UPDATE webhook_deliveries d
    SET due_at = now() + :lease, started = d.started + 1
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.webhook_id, d.event_id, d.event_type, d.body, d.started, due.url
    """
).bindparams(bindparam("busy", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """A webhook's deliveries; None means any."""

    states: tuple[str, ...] | None = None
    event_types: tuple[str, ...] | None = None
    descending: bool = True


def deliveries(query: DeliveryQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by webhook."""
    statement = select(_DELIVERIES)
    if query.states is not None:
        statement = statement.where(_DELIVERIES.c.state.in_(query.states))
    if query.event_types is not None:
        statement = statement.where(_DELIVERIES.c.event_type.in_(query.event_types))
    ordering = Ordering("delivery", (Key(_DELIVERIES.c.id, uuid.UUID),), query.descending)
    return Listed(statement, _DELIVERIES.c.webhook_id), ordering


async def deliveries_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such delivery or its webhook is out of reach."""
    found = await session.execute(
        select(_DELIVERIES)
        .join(WEBHOOKS, WEBHOOKS.c.id == _DELIVERIES.c.webhook_id)
        .where(among(_DELIVERIES.c.id, ids), in_reach(reach))
    )
    return {row.id: row for row in found}


async def delivery_by_id(session: AsyncSession, id: uuid.UUID, *, reach: Reach) -> Row | None:
    return (await deliveries_by_id(session, [id], reach)).get(id)


async def enqueue(
    session: AsyncSession,
    webhook_ids: Iterable[uuid.UUID],
    event_id: uuid.UUID,
    event_type: str,
    body: str,
    *,
    replay_of: uuid.UUID | None = None,
) -> Sequence[Row]:
    """One delivery for each webhook, due at once."""
    rows = [
        {
            "id": uuid7(),
            "webhook_id": id,
            "event_id": event_id,
            "event_type": event_type,
            "body": body,
            "replay_of": replay_of,
        }
        for id in webhook_ids
    ]
    found = await session.execute(insert(_DELIVERIES).returning(*_DELIVERIES.c), rows)
    return found.all()


async def claim(
    session: AsyncSession, busy: Iterable[uuid.UUID], most: int, lease: timedelta
) -> Sequence[Row]:
    """What is due, at most `most` for each webhook that is not `busy`, one for a failing one.

    It is this process's until the lease ends: others pass over it.
    """
    found = await session.execute(_CLAIM, {"busy": list(busy), "most": most, "lease": lease})
    return found.all()


async def settle(
    session: AsyncSession,
    id: uuid.UUID,
    started: int,
    attempt: Mapping[str, Any],
    state: str,
    wait: timedelta,
) -> bool:
    """Write down attempt number `started`; False when another process has taken over."""
    ours = _DELIVERIES.c.id == id, _DELIVERIES.c.started == started
    found = await session.execute(
        update(_DELIVERIES)
        .where(*ours)
        .values(
            state=state,
            due_at=func.now() + wait,
            attempts=_DELIVERIES.c.attempts.op("||")(
                bindparam("attempt", [dict(attempt)], type_=_DELIVERIES.c.attempts.type)
            ),
        )
        .returning(_DELIVERIES.c.id)
    )
    return found.first() is not None


async def prune(session: AsyncSession, older: timedelta, most: int) -> int:
    """Delete deliveries older than that, at most `most`; how many went."""
    old = (
        select(_DELIVERIES.c.id)
        .where(_DELIVERIES.c.created_at < func.now() - older)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    gone = await session.execute(
        delete(_DELIVERIES).where(_DELIVERIES.c.id.in_(old)).returning(_DELIVERIES.c.id)
    )
    return len(gone.all())
