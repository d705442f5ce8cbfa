"""All that is remembered of one deployment, and the vitals that follow from it."""

import math
import uuid
from collections.abc import Sequence
from random import Random

from domain.health.circuit import Circuit
from domain.health.histogram import Histogram
from domain.health.live import Health, Pace, Vitals, Warmth
from domain.usage import TokenUsage

FAST, SLOW = 300.0, 86_400.0
WARM_FROM = 20.0
SILENCE = 300.0
SLOWED = 3.0
LONG_PROMPT = 4_000
_MEAN_GAIN, _DEVIATION_GAIN, _SHARE_GAIN = 1 / 8, 1 / 4, 1 / 16
_FASTEST_TTFT, _SLOWEST_TTFT = 0.02, 120.0
_FASTEST_TOKEN, _SLOWEST_TOKEN = 0.0002, 5.0
_LONGEST_ANSWER = 200_000.0


class Track:
    """One quantity at two speeds: the last minutes, and the day behind them."""

    __slots__ = ("fast", "slow")

    def __init__(self, low: float, high: float) -> None:
        self.fast = Histogram(low, high, FAST)
        self.slow = Histogram(low, high, SLOW)

    def add(self, value: float, now: float) -> None:
        place = self.fast.place(value)
        self.fast.put(place, now)
        self.slow.put(place, now)

    def median(self, now: float, silent: float, prior: float) -> float:
        """Recent samples first, what is missing to 20 from the day, the rest from the prior."""
        fading = 2.0 ** -(max(silent - SILENCE, 0.0) / SILENCE)
        recent = min(self.fast.count(now), WARM_FROM) * fading
        daily = min(max(self.slow.count(now) - recent, 0.0), WARM_FROM - recent)
        logarithm = (WARM_FROM - recent - daily) * math.log(prior)
        for weight, histogram in ((recent, self.fast), (daily, self.slow)):
            for value in histogram.quantiles(0.5) if weight else ():
                logarithm += weight * math.log(value)
        return math.exp(logarithm / WARM_FROM)

    def seen(self, now: float, *shares: float) -> Sequence[float | None]:
        """Quantiles without the prior, of the day where the last minutes had under 20 samples."""
        told = self.fast if self.fast.count(now) >= WARM_FROM else self.slow
        return told.quantiles(*shares) or [None] * len(shares)


class Observation:
    """Mutable; owned by one observatory."""

    __slots__ = (
        "_cached",
        "_deviation",
        "_mean",
        "_output",
        "_prefill",
        "_token",
        "_ttft",
        "circuit",
        "last",
        "provider_id",
        "stale_at",
        "vitals",
    )

    def __init__(self, provider_id: uuid.UUID, now: float, random: Random) -> None:
        self.provider_id = provider_id
        self.circuit = Circuit(now, random)
        self.last = now
        self.stale_at = now
        self.vitals: Vitals | None = None
        self._ttft = Track(_FASTEST_TTFT, _SLOWEST_TTFT)
        self._token = Track(_FASTEST_TOKEN, _SLOWEST_TOKEN)
        self._output = Histogram(1.0, _LONGEST_ANSWER, SLOW)
        self._mean: float | None = None
        self._deviation = 0.0
        self._prefill: float | None = None
        self._cached = 0.0

    def first_token(self, seconds: float, input_tokens: int, now: float) -> None:
        self._ttft.add(seconds, now)
        if self._mean is None:
            self._mean, self._deviation = seconds, seconds / 2.0
        else:
            off = seconds - self._mean
            self._deviation += _DEVIATION_GAIN * (abs(off) - self._deviation)
            self._mean += _MEAN_GAIN * off
        if input_tokens >= LONG_PROMPT and seconds > 0.0:
            rate = input_tokens / seconds
            known = rate if self._prefill is None else self._prefill
            self._prefill = known + _MEAN_GAIN * (rate - known)

    def answer(
        self, first_token: float | None, duration: float, use: TokenUsage, now: float
    ) -> None:
        """An answer that came whole. Without a first-token time (not streamed), half at most of
        the duration is taken for the wait, the rest for the tokens."""
        if use.output > 0:
            self._output.add(use.output, now)
        if use.input > 0:
            self._cached += _SHARE_GAIN * (min(use.cached / use.input, 1.0) - self._cached)
        known = self.vitals.ttft if self.vitals else duration
        waited = min(known, duration / 2.0) if first_token is None else first_token
        tokens = use.output - (0 if first_token is None else 1)
        if tokens > 0 and duration > waited:
            self._token.add((duration - waited) / tokens, now)

    def censored(self, waited: float, now: float) -> None:
        """No first token within `waited` seconds: at least that slow."""
        self._ttft.add(waited, now)

    def pace(self, now: float) -> Pace | None:
        """Medians of the day, None before there are enough."""
        if min(self._ttft.slow.count(now), self._token.slow.count(now)) < WARM_FROM:
            return None
        (ttft,), (token,) = self._ttft.slow.quantiles(0.5), self._token.slow.quantiles(0.5)
        return Pace(ttft=round(ttft, 4), speed=round(1.0 / token, 1))

    def look(self, now: float, prior: Pace) -> Vitals:
        silent = now - self.last
        ttft = self._ttft.median(now, silent, prior.ttft)
        day = max(self._ttft.slow.count(now), self._token.slow.count(now))
        recent = self._ttft.fast.quantiles(0.9, 0.95)
        first, slowest = self._ttft.seen(now, 0.5, 0.95)
        (token,) = self._token.seen(now, 0.5)
        seen = self._output.quantiles(0.1, 0.5, 0.9)
        lengths = [round(value) for value in seen] if seen else [None] * 3
        return Vitals(
            at=self.last,
            ttft=round(ttft, 4),
            ttft_p95=round(max(recent[1], ttft) if recent else ttft, 4),
            speed=round(1.0 / self._token.median(now, silent, 1.0 / prior.speed), 1),
            samples=round(day),
            warmth=Warmth.WARM if day >= WARM_FROM - 0.5 else Warmth.COLD,
            output=lengths[1],
            output_low=lengths[0],
            output_high=lengths[2],
            cached_share=round(self._cached, 2),
            seen_ttft=None if first is None else round(first, 4),
            seen_ttft_p95=None if slowest is None else round(slowest, 4),
            seen_speed=round(1.0 / token, 1) if token else None,
            ttft_mean=self._mean,
            ttft_deviation=self._deviation,
            prefill=self._prefill,
            error_rate=self.circuit.error_rate(),
            health=self._health(now, recent),
            retry_at=self.circuit.retry_at or 0.0,
            admitted=self.circuit.admitted(now),
        )

    def _health(self, now: float, recent: list[float]) -> Health:
        if self.circuit.retry_at is not None:
            return Health.HALF_OPEN if now >= self.circuit.retry_at else Health.OPEN
        if self.circuit.is_degraded(now) or self._slowed(now, recent):
            return Health.DEGRADED
        return Health.HEALTHY

    def _slowed(self, now: float, recent: list[float]) -> bool:
        """p90 of the last minutes above three times the day's; never on a handful of samples."""
        if not recent or self._ttft.fast.count(now) < WARM_FROM:
            return False
        return any(recent[0] > SLOWED * usual for usual in self._ttft.slow.quantiles(0.9))
