"""Records that are filled in by position, which is quicker, hold each value under its name."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from db.queries.usage_row import UsageRow
from domain.errors import ErrorCode
from domain.tokens import Count
from domain.usage import Outcome, TokenUsage, UsageSource, UsageStatus
from gateway.account import Account, Served
from gateway.adapter.openai import read_usage
from gateway.failure import End
from gateway.openai.request import ChatRequest
from gateway.records import Kind, Record, StoredCharge, StoredOutcome
from gateway.settling import Settler

USAGE, USED = TokenUsage(10, 4, 3, 20, 7, 2), TokenUsage(10, output=20)
PROVIDER = SimpleNamespace(id="a provider", slug="its slug")
DEPLOYMENT: Any = SimpleNamespace(id="a model", name="its name", provider=PROVIDER)
CANDIDATE: Any = SimpleNamespace(
    deployment=DEPLOYMENT, price=SimpleNamespace(id="a price", input=1_000, output=2_000)
)
KEY: Any = SimpleNamespace(id="a key", owner_kind="an owner")


def closed(**how: Any) -> dict[str, Any]:
    """The fields of the outcome of a request that was asked for at 100 s and closed at 103 s."""
    told: list[Outcome] = []
    facts = SimpleNamespace(
        id="an id",
        now=5.0,
        user_id="a user",
        model="what was asked",
        stream="a stream",
        organization_id="an organisation",
    )
    times = iter((100.0, 102.0, 103.0))
    account = Account(
        SimpleNamespace(outcome=told.append),
        SimpleNamespace(api_key_id="an API key"),  # type: ignore[arg-type]
        facts,  # type: ignore[arg-type]
        "a decision",  # type: ignore[arg-type]
        lambda: next(times),
    )
    if "served" in how:
        account.attempted(how["served"], End.OK, http_status=200, reason="a flaw", usage=USED)
    else:
        next(times)
    account.close(**how)
    return msgspec.structs.asdict(told[0])


SERVED = Served(CANDIDATE, KEY, 101.0, 101.5)


def cut() -> dict[str, Any]:
    """The outcome of a stream that was cut."""
    return closed(
        status=UsageStatus.CUT,
        served=SERVED,
        usage=USED,
        source=UsageSource.PROVIDER,
        error=ErrorCode.PROVIDER_ERROR,
    )


def test_an_outcome() -> None:
    found = cut()

    del found["attempts"]
    assert found == {
        "id": "an id",
        "started_at": 5.0,
        "user_id": "a user",
        "requested_model": "what was asked",
        "streamed": "a stream",
        "status": "CUT",
        "usage_source": "PROVIDER",
        "latency_ms": 3_000,
        "organization_id": "an organisation",
        "api_key_id": "an API key",
        "provider_id": "a provider",
        "provider_slug": "its slug",
        "model_id": "a model",
        "model_name": "its name",
        "price_id": "a price",
        "key_owner": "an owner",
        "usage": USED,
        "cost": 50,
        "charge": None,
        "first_token_ms": 1_500,
        "error_class": "PROVIDER_ERROR",
        "decision": "a decision",
    }


def test_an_attempt() -> None:
    (attempt,) = cut()["attempts"]

    assert msgspec.structs.asdict(attempt) == {
        "deployment_id": "a model",
        "provider": "its slug",
        "model": "its name",
        "started_ms": 1_000,
        "latency_ms": 1_000,
        "outcome": "OK",
        "credential_id": "a key",
        "key_owner": "an owner",
        "http_status": 200,
        "first_token_ms": 1_500,
        "usage": USED,
        "cost": 50,
        "reason": "a flaw",
    }


def test_an_outcome_from_the_cache() -> None:
    found = closed(status=UsageStatus.OK, source=UsageSource.CACHE, answered=DEPLOYMENT)

    names = ("provider_id", "provider_slug", "model_id", "model_name", "price_id", "key_owner")
    assert [found[name] for name in names] == [
        "a provider",
        "its slug",
        "a model",
        "its name",
        None,
        None,
    ]
    assert (found["usage"], found["cost"], found["attempts"]) == (TokenUsage(), 0, ())


class Rows:
    """Takes the place of the database."""

    def __init__(self) -> None:
        self.rows: list[UsageRow] = []

    async def settle(self, rows: Iterable[UsageRow]) -> None:
        self.rows = list(rows)


IDS = {name: uuid7() for name in ("id", "wallet_id", "budget_id", "lease_id")}
AS_THEY_ARE: dict[str, Any] = {
    **{name: str(uuid7()) for name in ("user_id", "organization_id", "api_key_id")},
    **{name: str(uuid7()) for name in ("provider_id", "model_id", "price_id")},
    "requested_model": "asked",
    "provider_slug": "slug",
    "model_name": "name",
    "key_owner": "SYSTEM",
    "error_class": "WRONG",
    "cost": 101,
    "latency_ms": 102,
    "first_token_ms": 103,
}
STORED = StoredOutcome(
    id=IDS["id"],
    started_at=1_700_000_000.5,
    streamed=True,
    status=UsageStatus.CUT,
    usage_source=UsageSource.ESTIMATED,
    usage=USAGE,
    charge=StoredCharge(104, str(IDS["wallet_id"]), (str(IDS["budget_id"]),), IDS["lease_id"], 105),
    decision=msgspec.Raw(b'{"a":1}'),
    attempts=(msgspec.Raw(b'{"b":2}'), msgspec.Raw(b'{"c":3}')),
    **AS_THEY_ARE,
)


async def test_a_row(tmp_path: Path) -> None:
    rows = Rows()

    record = Record(0, Kind.OUTCOME, msgspec.json.encode(STORED))
    await Settler(rows, tmp_path / "quarantine").settle_all([record])  # type: ignore[arg-type]

    assert rows.rows[0]._asdict() == {
        "id": IDS["id"],
        "started_at": datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC),
        "streamed": True,
        "status": "CUT",
        "usage_source": "ESTIMATED",
        "input_tokens": 10,
        "cached_tokens": 4,
        "cache_write_tokens": 3,
        "output_tokens": 20,
        "reasoning_tokens": 7,
        "cache_write_1h_tokens": 2,
        "credits_charged": 104,
        "spend": 104,
        "wallet_id": str(IDS["wallet_id"]),
        "budget_ids": (str(IDS["budget_id"]),),
        "lease_id": IDS["lease_id"],
        "leased": 105,
        "attempts": 2,
        "decision": b'{"a":1}',
        "attempt_log": b'[{"b":2},{"c":3}]',
        **AS_THEY_ARE,
    }


def test_usage() -> None:
    told = {
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "prompt_tokens_details": {
            "cached_tokens": 4,
            "cache_write_tokens": 3,
            "cache_write_1h_tokens": 2,
        },
        "completion_tokens_details": {"reasoning_tokens": 7},
    }

    found = read_usage(msgspec.json.encode(told)).usage

    assert found == TokenUsage(
        input=10, cached=4, cache_write=3, output=20, reasoning=7, cache_write_1h=2
    )


def test_facts() -> None:
    principal: Any = SimpleNamespace(
        power_level="ECO",
        user_id=UUID(int=1),
        organization_id=UUID(int=2),
        allowed_models=frozenset({"m"}),
    )
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "ttl": "1h"}]}],
        "max_tokens": 9,
        "stream": True,
        "tools": [{}],
    }

    facts = ChatRequest.decode(msgspec.json.encode(body)).facts(
        UUID(int=3), 4.0, principal, {"x-fairlead-session": "s"}, Count(5, False)
    )

    assert msgspec.structs.asdict(facts) == {
        "id": UUID(int=3),
        "now": 4.0,
        "model": "m",
        "user_id": UUID(int=1),
        "input_tokens": 5,
        "input_estimated": False,
        "max_tokens": 9,
        "stream": True,
        "needs": {"TOOLS"},
        "modalities": {"TEXT"},
        "organization_id": UUID(int=2),
        "level": "ECO",
        "allowed_models": {"m"},
        "session": "00000000-0000-0000-0000-000000000001:s",
        "keeps_an_hour": True,
        "task": None,
    }
