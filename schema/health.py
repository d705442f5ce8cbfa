"""How well models and providers answer, as all processes have observed it together."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import strawberry

from auth.policies import Policy
from db.queries.health import provider_facts, reports_of_models, reports_of_providers
from domain.health import Health as Circuit
from domain.health import Vitals
from domain.health.observation import FAST
from domain.observed import (
    HealthState,
    ModelHealth,
    ProviderHealth,
    Report,
    joint_state,
    model_health,
    own_reports,
    provider_health,
    reports_of,
)
from schema.context import Context
from schema.fields import attribute, object_type

strawberry.enum(HealthState, description="How well an upstream answers.")


@object_type(
    Policy.SIGNED_IN,
    description="What was observed of real traffic; figures are null before the first request.",
)
class Health:
    state: HealthState
    circuit: Circuit = attribute(description="Of several the worst; OPEN ones get no requests.")
    rate_limited_until: datetime | None = attribute(
        description="Until then every system key rests there, because the provider said that it is"
        " at its limit (429)."
    )
    first_token_p50_ms: int | None = attribute(
        description="Median time to the first token, of streamed answers."
    )
    first_token_p95_ms: int | None = attribute(
        description="Time to the first token that 95 % of requests stay under."
    )
    tokens_per_second: float | None = attribute(description="Median speed after the first token.")
    error_rate: float | None = attribute(description="Recent share of failures, 0 to 1.")
    samples: int = attribute(description="How many requests these figures rest on.")
    observed_at: datetime | None
    window_seconds: int = attribute(
        description="What is older weighs half or less; where that leaves under 20 requests, those"
        " of the day before count as well."
    )

    @classmethod
    def of_models(cls, models: Sequence[ModelHealth], state: HealthState | None = None) -> Self:
        """Several as one: medians and means weighted by their samples."""
        vitals = [each for model in models for each in model.vitals]
        circuits = [model.circuit for model in models]
        limits = [model.limited_until for model in models]
        known = [limit for limit in limits if limit is not None]
        limited = bool(known) and len(known) == len(limits)
        return cls(
            state=joint_state(circuits) if state is None else state,
            circuit=min(circuits, key=_SEVERITY.index, default=Circuit.UNKNOWN),
            rate_limited_until=datetime.fromtimestamp(min(known), UTC) if limited else None,
            **_figures(vitals),
        )

    @classmethod
    def of_provider(cls, found: ProviderHealth) -> Self:
        return cls.of_models(found.models, found.state)


_SEVERITY = [
    Circuit.OPEN,
    Circuit.HALF_OPEN,
    Circuit.DEGRADED,
    Circuit.HEALTHY,
    Circuit.UNKNOWN,
]


def _figures(vitals: Sequence[Vitals]) -> dict[str, Any]:
    """Failures alone have an error rate and no figures of answers."""
    seen = [each for each in vitals if each.samples > 0]
    weights = [max(each.samples, 1) for each in vitals]
    rates = [each.error_rate * weight for each, weight in zip(vitals, weights, strict=True)]
    newest = max((each.at for each in vitals), default=None)
    first = _median([(each.seen_ttft, each.samples) for each in seen])
    slowest = _median([(each.seen_ttft_p95, each.samples) for each in seen])
    return {
        "first_token_p50_ms": None if first is None else round(1000 * first),
        "first_token_p95_ms": None if slowest is None else round(1000 * slowest),
        "tokens_per_second": _median([(each.seen_speed, each.samples) for each in seen]),
        "error_rate": sum(rates) / sum(weights) if vitals else None,
        "samples": sum(each.samples for each in seen),
        "observed_at": None if newest is None else datetime.fromtimestamp(newest, UTC),
        "window_seconds": round(FAST),
    }


def _median(weighted: list[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in weighted if value is not None]
    half, reached = sum(weight for _, weight in known) / 2, 0
    for value, weight in sorted(known):
        reached += weight
        if reached >= half:
            return value
    return None


async def healths_of_models(context: Context, ids: list[uuid.UUID]) -> list[Health]:
    """A loader's batch: of each model what all processes observed."""
    async with context.read() as session:
        rows = await reports_of_models(session, ids)
    found = _grouped(_with_own(context, reports_of(rows), set(ids), lambda each: each.model_id))
    now, unseen = time.time(), Health.of_models([])
    return [
        Health.of_models([model_health(found[id], now)]) if id in found else unseen for id in ids
    ]


async def healths_of_providers(context: Context, ids: list[uuid.UUID]) -> list[ProviderHealth]:
    """A loader's batch; the providers are there."""
    async with context.read() as session:
        facts = {row.id: row for row in await provider_facts(session, ids)}
        rows = await reports_of_providers(session, ids)
    reports = _with_own(context, reports_of(rows), set(ids), lambda each: each.provider_id)
    now = time.time()
    return [
        provider_health(facts[id], [each for each in reports if each.provider_id == id], now)
        for id in ids
    ]


def _with_own(
    context: Context,
    told: Iterable[Report],
    ids: set[uuid.UUID],
    id_of: Callable[[Report], uuid.UUID],
) -> list[Report]:
    """What others told, and what this process observes now instead of what it told before."""
    running = context.configuration
    own = own_reports(running.process_id, running.snapshot, running.live, time.time())
    others = [each for each in told if each.process_id != running.process_id]
    return others + [each for each in own if id_of(each) in ids]


def _grouped(reports: Iterable[Report]) -> dict[uuid.UUID, list[Report]]:
    found: dict[uuid.UUID, list[Report]] = {}
    for each in reports:
        found.setdefault(each.model_id, []).append(each)
    return found
