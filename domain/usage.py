"""What a request used and cost: the values that travel from the pump through the spool to rows."""

import uuid
from enum import StrEnum
from typing import Any

import msgspec

NO_DECISION = msgspec.Raw(b"null")
UNFINISHED = "UNFINISHED"
"""How an attempt ended whose process died; the other words are those of `gateway.failure.End`."""


class UsageSource(StrEnum):
    """Where the token counts came from."""

    PROVIDER = "PROVIDER"
    ESTIMATED = "ESTIMATED"
    CACHE = "CACHE"
    """Answered from the cache of exact repeats: nothing was used."""
    NONE = "NONE"


class UsageStatus(StrEnum):
    """How a request ended.

    CUT: the upstream died mid-answer. CANCELLED: the client went away. RECOVERED: settled from a
    dead process's spool. UNKNOWN: dispatched by a process that died before anything came back.
    """

    OK = "OK"
    ERROR = "ERROR"
    CUT = "CUT"
    CANCELLED = "CANCELLED"
    RECOVERED = "RECOVERED"
    UNKNOWN = "UNKNOWN"


class TokenUsage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Counts of one answer: `input` with cached and cache-write, `output` with reasoning, and
    `cache_write` with those that are kept an hour.

    `beside`: something of it is billed beside these tokens, at a price that is not known.
    """

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    beside: bool = False


class Charge(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request that money was held for is to pay: nano-USD, out of which accounts.

    `wallet_id` None: nothing is charged, only counted. `leased` of the lease `lease_id` was granted
    to it; else it has a hold of its own.
    """

    amount: int
    wallet_id: uuid.UUID | None = None
    budget_ids: tuple[uuid.UUID, ...] = ()
    lease_id: uuid.UUID | None = None
    leased: int = 0


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One upstream call. Times in milliseconds after the request's start; cost in nano-USD."""

    deployment_id: uuid.UUID
    provider: str
    model: str
    started_ms: int
    latency_ms: int
    outcome: str
    credential_id: uuid.UUID | None = None
    key_owner: str | None = None
    http_status: int | None = None
    first_token_ms: int | None = None
    usage: TokenUsage | None = None
    cost: int | None = None
    reason: str | None = None


class Intent(msgspec.Struct, frozen=True, omit_defaults=True, tag="intent"):
    """Written before dispatch: enough to list the request as UNKNOWN should we die, and whom to
    ask what it cost: `deployment_id` is who is asked first. `leased` of the lease `lease_id` was
    granted to it by then."""

    id: uuid.UUID
    started_at: float
    user_id: uuid.UUID
    requested_model: str
    streamed: bool
    organization_id: uuid.UUID | None = None
    api_key_id: uuid.UUID | None = None
    deployment_id: uuid.UUID | None = None
    provider: str = ""
    model: str = ""
    lease_id: uuid.UUID | None = None
    leased: int = 0


class Progress(msgspec.Struct, frozen=True, omit_defaults=True, tag="progress"):
    """How far a stream has come: what is settled as RECOVERED should we die before its outcome.

    It holds its intent, so that it alone is enough. `usage` is our estimate of what was passed on;
    `cost` is nano-USD at the price version `price_id`, None when the price is unknown. `decision`
    is an outcome's, as JSON.
    """

    intent: Intent
    latency_ms: int
    usage: TokenUsage
    provider_id: uuid.UUID | None = None
    provider_slug: str | None = None
    model_id: uuid.UUID | None = None
    model_name: str | None = None
    price_id: uuid.UUID | None = None
    key_owner: str | None = None
    cost: int | None = None
    charge: Charge | None = None
    first_token_ms: int | None = None
    attempts: tuple[Attempt, ...] = ()
    decision: msgspec.Raw = NO_DECISION


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, tag="outcome"):
    """A finished request: one row of `llm_usage_logs` and one of `llm_decisions`.

    `cost` is nano-USD, None when the price was unknown; `charge` is None where nothing was held
    for it. `decision` is the decision record (domain/decision.py), or its plain JSON values.
    No prompt, no answer, no key.
    """

    id: uuid.UUID
    started_at: float
    user_id: uuid.UUID
    requested_model: str
    streamed: bool
    status: UsageStatus
    usage_source: UsageSource
    latency_ms: int
    organization_id: uuid.UUID | None = None
    api_key_id: uuid.UUID | None = None
    provider_id: uuid.UUID | None = None
    provider_slug: str | None = None
    model_id: uuid.UUID | None = None
    model_name: str | None = None
    price_id: uuid.UUID | None = None
    key_owner: str | None = None
    usage: TokenUsage = TokenUsage()
    cost: int | None = None
    charge: Charge | None = None
    first_token_ms: int | None = None
    error_class: str | None = None
    decision: Any = None
    attempts: tuple[Attempt, ...] = ()
