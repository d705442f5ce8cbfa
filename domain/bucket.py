"""Token buckets in memory: a budget per key that refills steadily."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from domain.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Rate:
    """`capacity` units at once, `per_second` units back each second."""

    capacity: float
    per_second: float


class Buckets:
    """One bucket per key; the least recently used go when there are too many."""

    def __init__(
        self, rate: Rate, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate = rate
        self._most = most
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def level(self, key: Hashable) -> float:
        """How many units `key` could take now."""
        now = self._clock()
        level, since = self._levels.get(key, (self.rate.capacity, now))
        return min(self.rate.capacity, level + (now - since) * self.rate.per_second)

    def has(self, key: Hashable) -> bool:
        """Whether something was taken by `key` not too long ago."""
        return key in self._levels

    def take(self, key: Hashable, units: float) -> float:
        """Take units and return what is left. Raises LimitExceeded, and takes nothing.

        More than a whole bucket may be taken from a full one; it is paid back by waiting.
        """
        level = self.level(key)
        needed = min(units, self.rate.capacity)
        if level < needed:
            wait = (needed - level) / self.rate.per_second
            raise LimitExceeded("Too much at once: try again shortly.", retry_after=wait)
        self._set(key, level - units)
        return level - units

    def charge(self, key: Hashable, units: float) -> None:
        """Take units that may not be there; at most a whole bucket is owed, and paid by waiting."""
        self._set(key, max(-self.rate.capacity, self.level(key) - units))

    def _set(self, key: Hashable, level: float) -> None:
        self._levels[key] = (level, self._clock())
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
