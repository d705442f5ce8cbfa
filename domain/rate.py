"""How much of a rate is used up in any minute: counts in slots of five seconds, never too few."""

import uuid
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

SLOT_SECONDS = 5
SLOTS = 60 // SLOT_SECONDS + 1
"""The slot under way and the twelve before it: together they cover every second of a minute."""
RUNNING_WAIT = 1.0
"""Seconds after which to ask again when too many requests run: nobody knows when one ends."""


@dataclass(slots=True)
class Window:
    """What one subject used of one rate. `counts[0]` is of slot number `slot`, then backwards.

    The oldest slot is counted whole although part of it is older than a minute: the limit is
    never exceeded in any minute, and at most a twelfth of it is given back late.
    """

    slot: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * SLOTS)

    def move(self, now: float) -> None:
        """Forget what is older than a minute. `now` in Unix seconds; time never goes back."""
        slot = int(now // SLOT_SECONDS)
        gone = min(max(slot - self.slot, 0), SLOTS)
        if gone:
            self.counts = [0] * gone + self.counts[: SLOTS - gone]
            self.slot = slot

    @property
    def used(self) -> int:
        return sum(self.counts)

    def correct(self, slot: int, by: int) -> None:
        """What was taken in `slot` turned out more, or less: `by` is the difference.

        An excess counts from now on, so that it cannot fall out of the minute unseen.
        """
        age = self.slot - slot
        if by > 0:
            self.counts[0] += by
        elif 0 <= age < SLOTS:
            self.counts[age] = max(self.counts[age] + by, 0)

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds until `amount` fits, if nobody uses more; None when it never does."""
        if amount > limit:
            return None
        left, free_at = self.used, now
        for age in range(SLOTS - 1, -1, -1):
            if left + amount <= limit:
                break
            left -= self.counts[age]
            free_at = (self.slot - age + SLOTS) * SLOT_SECONDS
        return max(free_at - now, 0.0)


def stored(slot: int, counts: Sequence[int]) -> Window:
    """A window as a row keeps it; a new row has no counts."""
    return Window(slot, [*counts, *[0] * (SLOTS - len(counts))])


class Rate(StrEnum):
    """What is limited. REQUESTS and TOKENS by the minute, CONCURRENCY at any moment."""

    REQUESTS = "REQUESTS"
    TOKENS = "TOKENS"
    CONCURRENCY = "CONCURRENCY"


class Claim(NamedTuple):
    """`amount` of one rate of a key, a person or an organisation (`subject`)."""

    subject: uuid.UUID
    rate: Rate
    limit: int
    amount: int


class Verdict(NamedTuple):
    """The first claim that does not fit, if any, and the seconds until it may.

    `slot` is where what was granted counts; `left` is what remains of each claim's limit, in
    the order of the claims.
    """

    refused: Claim | None
    wait: float | None
    slot: int
    left: tuple[int, ...]


class Book:
    """The windows and the running requests of the subjects at hand, at one moment.

    `elsewhere` counts the requests that other processes have running for a subject.
    """

    def __init__(
        self,
        now: float,
        windows: MutableMapping[tuple[uuid.UUID, Rate], Window],
        running: MutableMapping[uuid.UUID, int],
        elsewhere: Mapping[uuid.UUID, int],
    ) -> None:
        self._now = now
        self._windows = windows
        self._running = running
        self._elsewhere = elsewhere

    def claim(self, claims: Sequence[Claim]) -> Verdict:
        """All of them or nothing."""
        slot = int(self._now // SLOT_SECONDS)
        found = [(claim, *self._free(claim)) for claim in claims]
        left = tuple(max(free, 0) for _, free, _ in found)
        for claim, free, wait in found:
            if free < claim.amount:
                return Verdict(claim, wait, slot, left)
        for claim in claims:
            self._use(claim)
        return Verdict(None, None, slot, tuple(free - c.amount for c, free, _ in found))

    def _use(self, claim: Claim) -> None:
        if claim.rate is Rate.CONCURRENCY:
            self._running[claim.subject] = self._running.get(claim.subject, 0) + claim.amount
        else:
            self._window(claim).counts[0] += claim.amount

    def _free(self, claim: Claim) -> tuple[int, float | None]:
        """What is left of its limit, and how long it takes to fit."""
        if claim.rate is Rate.CONCURRENCY:
            used = self._running.get(claim.subject, 0) + self._elsewhere.get(claim.subject, 0)
            return claim.limit - used, RUNNING_WAIT
        window = self._window(claim)
        return claim.limit - window.used, window.wait(claim.amount, claim.limit, self._now)

    def _window(self, claim: Claim) -> Window:
        window = self._windows.setdefault((claim.subject, claim.rate), Window())
        window.move(self._now)
        return window
