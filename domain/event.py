"""What happened, told to whoever asked to hear of it: an event goes into the outbox of webhooks."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from uuid_utils.compat import uuid7

from db.queries.delivery import enqueue
from db.queries.webhook import wanting
from db.session import AsyncSession


class EventType(StrEnum):
    """What happened; the value is its name in the body of a delivery."""

    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    CATALOGUE_CHANGED = "catalogue.changed"
    CREDENTIAL_DISABLED = "credential.disabled"
    CREDENTIAL_RESTORED = "credential.restored"
    CREDITS_EXHAUSTED = "credits.exhausted"
    CREDITS_LOW = "credits.low"
    PRICE_CHANGED = "price.changed"
    PROVIDER_CHANGED = "provider.changed"
    PROVIDER_HEALTH_CHANGED = "provider.health_changed"
    RULES_PUBLISHED = "rules.published"
    SPEND_THRESHOLD = "spend.threshold"
    WEBHOOK_TEST = "webhook.test"


async def emit(
    session: AsyncSession,
    type: EventType,
    data: Mapping[str, Any],
    *,
    organization_id: uuid.UUID | None = None,
) -> None:
    """Tell of something in the transaction that does it: it is sent if and when that commits.

    Hear of it: webhooks of the whole installation, and of the organisation whose own event it is.
    `data` is what a receiver gets beside type and time: JSON values, names in camelCase, ids as
    `global_id` makes them, no secrets, and little: who wants more asks for it by its id.
    """
    webhook_ids = await wanting(session, type.value, organization_id)
    if webhook_ids:
        await enqueue(session, webhook_ids, uuid7(), type.value, body_of(type, data))


def body_of(type: EventType, data: Mapping[str, Any]) -> str:
    """The body of a delivery as Standard Webhooks has it: type, timestamp and data."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode({"type": type.value, "timestamp": now, "data": data}).decode()
