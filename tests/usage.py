"""Usage values for tests."""

import uuid
from datetime import UTC, datetime
from typing import Any

from uuid_utils.compat import uuid7

from db.queries.usage_row import UsageRow
from domain.usage import Attempt, Intent, Outcome, TokenUsage, UsageSource, UsageStatus

USER = uuid.UUID("01938a00-0000-7000-8000-000000000001")
STARTED = 1_790_000_000.25


def id_at(moment: datetime) -> uuid.UUID:
    """A UUIDv7 of that moment."""
    tail = uuid7().int & ((1 << 80) - 1)
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80 | tail)


def usage_row(**changes: Any) -> UsageRow:
    row = UsageRow(
        id=uuid7(),
        started_at=datetime.fromtimestamp(STARTED, UTC),
        user_id=USER,
        organization_id=None,
        api_key_id=None,
        requested_model="auto",
        provider_id=None,
        provider_slug="openai",
        model_id=None,
        model_name="small",
        price_id=None,
        input_tokens=10,
        cached_tokens=0,
        cache_write_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=5,
        reasoning_tokens=0,
        usage_source="PROVIDER",
        cost=1_500,
        credits_charged=0,
        key_owner="SYSTEM",
        latency_ms=12,
        first_token_ms=None,
        status="OK",
        error_class=None,
        attempts=1,
        streamed=False,
        decision=b'{"strategy": "COST"}',
        attempt_log=b"[]",
    )
    for name in ("decision", "attempt_log"):
        if isinstance(changes.get(name), str):
            changes[name] = changes[name].encode()
    return row._replace(**changes)


def intent(request_id: uuid.UUID | None = None) -> Intent:
    return Intent(
        id=request_id or uuid7(),
        started_at=STARTED,
        user_id=USER,
        requested_model="auto",
        streamed=True,
    )


def outcome(request_id: uuid.UUID | None = None, **changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "id": request_id or uuid7(),
        "started_at": STARTED,
        "user_id": USER,
        "requested_model": "auto",
        "streamed": True,
        "status": UsageStatus.OK,
        "usage_source": UsageSource.PROVIDER,
        "latency_ms": 12,
        "usage": TokenUsage(input=10, output=5),
        "cost": 1_500,
        "decision": {"strategy": "COST"},
        "attempts": (
            Attempt(
                deployment_id=USER,
                provider="openai",
                model="small",
                started_ms=0,
                latency_ms=11,
                outcome="OK",
            ),
        ),
    }
    return Outcome(**{**values, **changes})
