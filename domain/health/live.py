"""The values a decision reads about health and speed: immutable, built by the observatory."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from domain.snapshot import Credential


class Health(StrEnum):
    """A deployment's state; OPEN and HALF_OPEN are its circuit's."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    UNKNOWN = "UNKNOWN"


class Warmth(StrEnum):
    """WARM: enough samples to speak for itself. COLD: leaning on the prior."""

    COLD = "COLD"
    WARM = "WARM"


class Failure(StrEnum):
    """What went wrong with a deployment. A refused request (400, 413, 422) is no failure."""

    CONNECT = "CONNECT"
    SERVER_ERROR = "SERVER_ERROR"
    FIRST_TOKEN_TIMEOUT = "FIRST_TOKEN_TIMEOUT"
    BROKEN_STREAM = "BROKEN_STREAM"


class Pace(msgspec.Struct, frozen=True, gc=False):
    """Seconds to the first token, and tokens a second after it."""

    ttft: float
    speed: float


PRIOR = Pace(ttft=1.0, speed=50.0)
"""Of a deployment whose provider was never observed: 2 s to the fiftieth token."""


class Vitals(msgspec.Struct, frozen=True, gc=False):
    """One deployment, as last observed. Times in seconds, `at` and `retry_at` in Unix seconds.

    `ttft` and `speed` are medians, leaning on the prior while COLD. `ttft_mean` and
    `ttft_deviation` are smoothed and set deadlines; `prefill` is in input tokens a second.
    `seen_ttft`, `seen_ttft_p95` and `seen_speed` are of what was observed alone, for people to
    read: None before the first. `output` is the median length of an answer, None before the
    first, `output_low` and `output_high` its first and ninth deciles. While the circuit is not
    closed, `admitted` is the share of requests it lets through from `retry_at` on.
    """

    at: float
    ttft: float
    ttft_p95: float
    speed: float
    samples: int = 0
    warmth: Warmth = Warmth.COLD
    output: int | None = None
    output_low: int | None = None
    output_high: int | None = None
    cached_share: float = 0.0
    seen_ttft: float | None = None
    seen_ttft_p95: float | None = None
    seen_speed: float | None = None
    ttft_mean: float | None = None
    ttft_deviation: float = 0.0
    prefill: float | None = None
    error_rate: float = 0.0
    health: Health = Health.UNKNOWN
    retry_at: float = 0.0
    admitted: float = 1.0

    def health_at(self, now: float) -> Health:
        """An open circuit is half open from `retry_at` on."""
        if self.health is Health.OPEN and now >= self.retry_at:
            return Health.HALF_OPEN
        return self.health

    def admits(self, now: float, draw: float) -> bool:
        """Whether the circuit lets a request through whose lot, in 0..1, is `draw`."""
        return not self.is_tripped or (now >= self.retry_at and draw < self.admitted)

    @property
    def is_tripped(self) -> bool:
        return self.health is Health.OPEN or self.health is Health.HALF_OPEN

    @property
    def is_degraded(self) -> bool:
        return self.health is Health.DEGRADED


Rest: TypeAlias = tuple[uuid.UUID | None, int, uuid.UUID | None]
"""(credential, its version, deployment); None: no credential, and every deployment."""


class Live(msgspec.Struct, frozen=True, dict=True):
    """Everything observed, as one immutable value; `Live()` is nothing observed.

    `number` counts the views of this process and `built_at` (Unix seconds) dates one. `paces` are
    the medians of providers. `resting` holds credentials that were refused or rate limited, until
    a Unix time, and `shares` which part of its requests a credential that was rate limited takes
    at a deployment. `incumbents` are deployments by cell (`domain.routing.cell`).
    """

    number: int = 0
    built_at: float = 0.0
    vitals: Mapping[uuid.UUID, Vitals] = MappingProxyType({})
    paces: Mapping[uuid.UUID, Pace] = MappingProxyType({})
    resting: Mapping[Rest, float] = MappingProxyType({})
    shares: Mapping[Rest, float] = MappingProxyType({})
    incumbents: Mapping[str, uuid.UUID] = MappingProxyType({})

    @cached_property
    def derived(self) -> dict[type, Any]:
        """By type, what follows from these values and is worked out once; no part of them.

        It is let go of when another view takes this one's place.
        """
        return {}

    def age(self, now: float) -> float:
        """Seconds since it was built; 0 where nothing was observed."""
        return round((now - self.built_at) * 1000) / 1000 if self.number else 0.0

    @cached_property
    def unusual(self) -> frozenset[uuid.UUID]:
        """Deployments whose circuit is not closed, or that some key must leave alone."""
        tripped = {id for id, vitals in self.vitals.items() if vitals.is_tripped}
        limited = (*self.resting, *self.shares)
        return frozenset(tripped | {id for _, _, id in limited if id is not None})

    def share_of(self, credential: Credential | None, deployment_id: uuid.UUID) -> float:
        """Which part of its requests there this key takes; 1 unless it was rate limited."""
        id, version = (credential.id, credential.version) if credential else (None, 0)
        return self.shares.get((id, version, deployment_id), 1.0)

    def rests_until(self, credential: Credential | None, deployment_id: uuid.UUID) -> float:
        """Until when (Unix seconds) this key may not be used there; 0 when it may."""
        if not self.resting:
            return 0.0
        if credential is None:
            return self.resting.get((None, 0, deployment_id), 0.0)
        here = self.resting.get((credential.id, credential.version, deployment_id), 0.0)
        everywhere = self.resting.get((credential.id, credential.version, None), 0.0)
        return max(here, everywhere)
