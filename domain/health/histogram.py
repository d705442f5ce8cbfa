"""Time-decayed histograms with logarithmic buckets: medians that follow, without a window."""

from math import ceil, exp2, log

GROWTH = 1.1
_LOG_GROWTH = log(GROWTH)
_RESCALE = 40.0


class Histogram:
    """Positive values between `low` and `high`, each weighing half after `half_life` seconds.

    Values beyond the ends count in the outermost buckets. Newer samples weigh more instead of
    older ones less, so adding is one addition; weights are rescaled now and then.
    """

    __slots__ = ("_half_life", "_last", "_low", "_origin", "_total", "_weights")

    def __init__(self, low: float, high: float, half_life: float) -> None:
        self._low = low
        self._half_life = half_life
        self._last = ceil(log(high / low) / _LOG_GROWTH)
        self._weights = [0.0] * (self._last + 1)
        self._total = 0.0
        self._origin = 0.0

    def add(self, value: float, now: float) -> None:
        """`now` in seconds of any clock, the same for every call."""
        self.put(self.place(value), now)

    def place(self, value: float) -> int:
        """Its bucket, the same in every histogram of these ends."""
        if value <= self._low:
            return 0
        return min(int(log(value / self._low) / _LOG_GROWTH), self._last)

    def put(self, place: int, now: float) -> None:
        """Add to a bucket."""
        age = (now - self._origin) / self._half_life
        if age > _RESCALE:
            scale = exp2(-age)
            self._weights = [weight * scale for weight in self._weights]
            self._total *= scale
            self._origin = now
            age = 0.0
        weight = exp2(age)
        self._weights[place] += weight
        self._total += weight

    def count(self, now: float) -> float:
        """How many samples of right now it is worth."""
        return self._total * exp2((self._origin - now) / self._half_life)

    def quantiles(self, *shares: float) -> list[float]:
        """Values below which the ascending `shares` of the weight lie; nothing when empty."""
        if not self._total:
            return []
        values = []
        below = 0.0
        place = -1
        for share in shares:
            wanted = share * self._total
            while place < 0 or (below < wanted and place < len(self._weights) - 1):
                place += 1
                below += self._weights[place]
            inside = (below - wanted) / (self._weights[place] or 1.0)
            values.append(self._low * GROWTH ** (place + 1.0 - min(max(inside, 0.0), 1.0)))
        return values
