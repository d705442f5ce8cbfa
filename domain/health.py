"""What was observed of deployments: the immutable view decisions read, and what fills it."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec


class Health(StrEnum):
    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    UNKNOWN = "UNKNOWN"


class Warmth(StrEnum):
    """WARM: enough samples to speak for themselves. COLD: leaning on the prior."""

    COLD = "COLD"
    WARM = "WARM"


class Vitals(msgspec.Struct, frozen=True, gc=False):
    """One deployment, as last observed. Times in seconds, `at` and `retry_at` in Unix seconds.

    `ttft_mean` and `ttft_deviation` are smoothed and set deadlines; `prefill` is in input tokens a
    second. `output` is the median length of an answer, None before the first. `admitted` is the
    share of requests a half-open circuit lets through after `retry_at`.
    """

    at: float
    ttft: float
    ttft_p95: float
    speed: float
    samples: int = 0
    warmth: Warmth = Warmth.COLD
    output: int | None = None
    cached_share: float = 0.0
    ttft_mean: float | None = None
    ttft_deviation: float = 0.0
    prefill: float | None = None
    error_rate: float = 0.0
    health: Health = Health.UNKNOWN
    retry_at: float = 0.0
    admitted: float = 1.0


class Pace(msgspec.Struct, frozen=True, gc=False):
    """Seconds to the first token, and tokens a second after it."""

    ttft: float
    speed: float


PRIOR = Pace(ttft=1.0, speed=50.0)
"""Of a deployment whose provider was never observed: 2 s to the fiftieth token."""

NOTHING: Mapping[uuid.UUID, Vitals] = MappingProxyType({})


class Live(msgspec.Struct, frozen=True):
    """Everything observed, as one immutable value; `Live()` is nothing observed.

    `number` counts views of this process and `built_at` (Unix seconds) dates it. `paces` are the
    medians of providers. `resting` holds credentials that are refused or rate limited, for one
    deployment or (None) all, until a Unix time. `incumbents` are by cell (`domain.routing.cell`).
    """

    number: int = 0
    built_at: float = 0.0
    vitals: Mapping[uuid.UUID, Vitals] = NOTHING
    paces: Mapping[uuid.UUID, Pace] = MappingProxyType({})
    resting: Mapping[tuple[uuid.UUID, uuid.UUID | None], float] = MappingProxyType({})
    incumbents: Mapping[str, uuid.UUID] = MappingProxyType({})


class Failure(StrEnum):
    """What went wrong with a deployment. Refused requests (400, 413, 422) are no failure."""

    CONNECT = "CONNECT"
    SERVER_ERROR = "SERVER_ERROR"
    FIRST_TOKEN_TIMEOUT = "FIRST_TOKEN_TIMEOUT"
    BROKEN_STREAM = "BROKEN_STREAM"
