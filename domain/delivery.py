"""The fate of deliveries: when one is tried again, when a webhook is given up."""

import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from db.queries import webhook as webhooks
from db.queries.delivery import settle
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.event import EventType

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failed attempt the next one follows: eleven attempts in a little over three
days."""

GIVEN_UP_AFTER = timedelta(days=3)
"""A webhook whose every delivery failed for so long is switched off."""

_GONE = 410
_LONGEST_WAIT = timedelta(hours=24)


class DeliveryState(StrEnum):
    """PENDING: due now or after a wait. FAILED: given up; it can be replayed."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `status` and `latency_ms` are of the answer, `error` says why it failed.

    `wait`: seconds the receiver asked for before the next one.
    """

    at: datetime
    latency_ms: int
    status: int | None = None
    error: str | None = None
    wait: float | None = None

    def told(self) -> dict[str, Any]:
        kept = asdict(self)
        del kept["wait"]
        return {**kept, "at": self.at.isoformat()}


class Claimed(Protocol):
    """A delivery that this process is to make; `started` counts its attempts, this one included."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def webhook_id(self) -> uuid.UUID: ...
    @property
    def event_type(self) -> str: ...
    @property
    def started(self) -> int: ...


def fate(event_type: str, started: int, attempt: Attempt, lot: float) -> tuple[str, timedelta]:
    """State and wait after attempt number `started`; `lot` in 0..1 spreads the waits by 10 %.

    A test is tried once. A receiver that asks for more time gets it, up to a day.
    """
    if attempt.error is None:
        return DeliveryState.DELIVERED, timedelta(0)
    if event_type == EventType.WEBHOOK_TEST or started > len(RETRIES):
        return DeliveryState.FAILED, timedelta(0)
    if attempt.status == _GONE:
        return DeliveryState.FAILED, timedelta(0)
    wait = RETRIES[started - 1] * (0.95 + 0.1 * lot)
    asked = timedelta(seconds=attempt.wait or 0)
    return DeliveryState.PENDING, min(max(wait, asked), _LONGEST_WAIT)


async def settle_attempt(
    session: AsyncSession, claimed: Claimed, attempt: Attempt, lot: float
) -> None:
    """Write down how an attempt ended; a webhook that is gone or failed for long is switched off.

    Nothing when another process has taken the delivery over.
    """
    state, wait = fate(claimed.event_type, claimed.started, attempt, lot)
    if not await settle(session, claimed.id, claimed.started, attempt.told(), state, wait):
        return
    if claimed.event_type == EventType.WEBHOOK_TEST:
        return
    if attempt.error is None:
        await webhooks.clear_failing(session, claimed.webhook_id)
        return
    since = await webhooks.mark_failing(session, claimed.webhook_id)
    if attempt.status == _GONE:
        await _switch_off(session, claimed.webhook_id, "The receiver says that it is gone (410).")
    elif since is not None and datetime.now(UTC) - since >= GIVEN_UP_AFTER:
        days = GIVEN_UP_AFTER.days
        reason = f"Every delivery failed for {days} days; the last one: {attempt.error}"
        await _switch_off(session, claimed.webhook_id, reason)


async def _switch_off(session: AsyncSession, webhook_id: uuid.UUID, reason: str) -> None:
    before = await webhooks.locked_webhook(session, webhook_id, None)
    if before is None or not before.enabled:
        return
    values = {"enabled": False, "disabled_reason": reason}
    after = await webhooks.change_webhook(session, webhook_id, values)
    await record(
        session,
        AuditAction.DISABLE,
        AuditObject.WEBHOOK,
        webhook_id,
        before={"enabled": True, "disabled_reason": None},
        after={"enabled": after.enabled, "disabled_reason": after.disabled_reason},
    )
