"""How well models and providers answer, as this process has observed it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from domain.health import Health as Circuit
from domain.health import Vitals
from schema.fields import attribute, object_type


@strawberry.enum(description="How well an upstream answers.")
class HealthState(StrEnum):
    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    UNHEALTHY = "UNHEALTHY"
    UNKNOWN = "UNKNOWN"


_STATES = {
    Circuit.HEALTHY: HealthState.HEALTHY,
    Circuit.DEGRADED: HealthState.DEGRADED,
    Circuit.HALF_OPEN: HealthState.DEGRADED,
    Circuit.OPEN: HealthState.UNHEALTHY,
    Circuit.UNKNOWN: HealthState.UNKNOWN,
}


@object_type(
    Policy.SIGNED_IN,
    description="What was observed of real traffic; figures are null before the first request.",
)
class Health:
    state: HealthState
    first_token_p50_ms: int | None = attribute(description="Median time to the first token.")
    first_token_p95_ms: int | None = attribute(
        description="Time to the first token that 95 % of requests stay under."
    )
    tokens_per_second: float | None = attribute(description="Median speed after the first token.")
    error_rate: float | None = attribute(description="Recent share of failures, 0 to 1.")
    samples: int = attribute(description="How many requests these figures rest on.")
    observed_at: datetime | None

    @classmethod
    def of(cls, found: Sequence[Vitals]) -> Self:
        """Several deployments as one: medians and means weighted by their samples."""
        seen = [vitals for vitals in found if vitals.samples > 0]
        if not seen:
            return cls(
                state=_joint([vitals.health for vitals in found]),
                first_token_p50_ms=None,
                first_token_p95_ms=None,
                tokens_per_second=None,
                error_rate=None,
                samples=0,
                observed_at=None,
            )
        samples = sum(vitals.samples for vitals in seen)
        return cls(
            state=_joint([vitals.health for vitals in found]),
            first_token_p50_ms=round(1000 * _median([(v.ttft, v.samples) for v in seen])),
            first_token_p95_ms=round(1000 * _median([(v.ttft_p95, v.samples) for v in seen])),
            tokens_per_second=_median([(v.speed, v.samples) for v in seen]),
            error_rate=sum(v.error_rate * v.samples for v in seen) / samples,
            samples=samples,
            observed_at=datetime.fromtimestamp(max(v.at for v in seen), UTC),
        )


def _joint(circuits: Sequence[Circuit]) -> HealthState:
    """The state they share; DEGRADED when they differ; UNKNOWN ones have no say."""
    states = {_STATES[circuit] for circuit in circuits} - {HealthState.UNKNOWN}
    if not states:
        return HealthState.UNKNOWN
    return states.pop() if len(states) == 1 else HealthState.DEGRADED


def _median(weighted: list[tuple[float, int]]) -> float:
    half, reached = sum(weight for _, weight in weighted) / 2, 0
    for value, weight in sorted(weighted):
        reached += weight
        if reached >= half:
            return value
    raise ValueError("A median of nothing.")
