"""A deployment's circuit: opens on failure, waits longer each time, comes back by degrees."""

from math import exp2, log
from random import Random

HALF_LIFE = 10.0
CONSECUTIVE = 3
ENOUGH = 8.0
MAJORITY = 0.5
DEGRADED_RATIO = 0.1
LOW_TRAFFIC = 1.0
FIRST_WAIT, LONGEST_WAIT, LONGEST_WAIT_LOW = 2.0, 30.0, 20.0
JITTER = 0.2
RAMP = (0.05, 0.10, 0.20, 0.40, 0.70)
PATIENCE = 5.0
_STILL_COUNTS = 0.5
_TIME_CONSTANT = HALF_LIFE / log(2.0)


class Circuit:
    """Failures and requests weigh half after 10 s. Times are in seconds of one clock.

    At low traffic (under a request a second when it opened, or none for 5 s since) the share
    of a ramp would admit nobody: then the next request is the probe, and its success closes.
    """

    __slots__ = (
        "_consecutive",
        "_decayed_at",
        "_failures",
        "_first",
        "_last",
        "_low",
        "_random",
        "_requests",
        "_step",
        "_waits",
        "retry_at",
    )

    def __init__(self, now: float, random: Random) -> None:
        self._random = random
        self._first = self._last = self._decayed_at = now
        self._requests = self._failures = 0.0
        self._consecutive = self._waits = self._step = 0
        self._low = False
        self.retry_at: float | None = None
        """When it may be tried again; None while closed."""

    def succeeded(self, now: float) -> bool:
        """True when the circuit's answer to `admitted` changed."""
        low = self.retry_at is not None and self._low_traffic(now)
        self._count(now)
        self._consecutive = 0
        if self.retry_at is None or now < self.retry_at:
            return False
        self._step += 1
        if low or self._step >= len(RAMP):
            self.retry_at = None
            self._requests = self._failures = 0.0
            self._waits = self._step = 0
        return True

    def failed(self, now: float) -> bool:
        """True when the circuit opened, or opened again."""
        self._count(now)
        self._failures += 1.0
        self._consecutive += 1
        if self.retry_at is not None:
            if now < self.retry_at:
                return False
        elif self._consecutive < CONSECUTIVE and not self._mostly_failing():
            return False
        else:
            self._low = self._rate(now) < LOW_TRAFFIC
        self._open(now)
        return True

    def admitted(self, now: float) -> float:
        """The share of requests let through once `retry_at` has come; 1 while closed."""
        if self.retry_at is None or self._low_traffic(max(now, self.retry_at)):
            return 1.0
        return RAMP[self._step]

    def error_rate(self) -> float:
        return self._failures / self._requests if self._requests else 0.0

    def is_degraded(self, now: float) -> bool:
        """A tenth of recent requests failed; one lone failure counts for 10 s."""
        self._decay(now)
        return self._failures >= _STILL_COUNTS and self.error_rate() > DEGRADED_RATIO

    def _open(self, now: float) -> None:
        longest = LONGEST_WAIT_LOW if self._low else LONGEST_WAIT
        wait = min(FIRST_WAIT * exp2(min(self._waits, 10)), longest)
        self.retry_at = now + wait * self._random.uniform(1.0 - JITTER, 1.0 + JITTER)
        self._waits += 1
        self._step = 0

    def _mostly_failing(self) -> bool:
        return self._requests >= ENOUGH and self._failures > MAJORITY * self._requests

    def _rate(self, now: float) -> float:
        """Requests a second, also right for a circuit younger than the half-life."""
        age = max(now - self._first, 1e-3)
        return self._requests / (_TIME_CONSTANT * (1.0 - exp2(-age / HALF_LIFE)))

    def _low_traffic(self, now: float) -> bool:
        if self.retry_at is None:
            return False
        return self._low or now - max(self.retry_at, self._last) >= PATIENCE

    def _count(self, now: float) -> None:
        self._decay(now)
        self._requests += 1.0
        self._last = now

    def _decay(self, now: float) -> None:
        passed = now - self._decayed_at
        if passed > 0.0:
            factor = exp2(-passed / HALF_LIFE)
            self._requests *= factor
            self._failures *= factor
            self._decayed_at = now
