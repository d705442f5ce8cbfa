"""Keeps an outage upstream from being multiplied by us: retries are a share of the traffic."""

from collections.abc import Callable

SHARE = 0.2
PER_SECOND = 3.0
MOST = 30.0


class RetryBudget:
    """Each request earns a fifth of a retry and each second three; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = MOST
        self._at = clock()

    def request(self) -> None:
        self._left = min(self._left + SHARE, MOST)

    def spend(self) -> bool:
        """Whether a call beyond a request's first may be made; it is counted."""
        now = self._clock()
        self._left = min(self._left + (now - self._at) * PER_SECOND, MOST)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
