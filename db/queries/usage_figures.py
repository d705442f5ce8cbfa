"""Sums of requests as they leave the database: what callers of the usage queries know. Pure."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from db.histogram import COARSE, FINE, bucket_of, percentile, unpacked, value_of
from db.queries.rollup import SUMS

NO_ID = uuid.UUID(int=0)

SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What costs extra and is left out unless asked for."""

    percentiles: bool = True
    users: bool = True


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of some requests. Costs are nano-USD over the `priced` ones, `shadow_cost` the part
    that went out with callers' own keys. Latency and first token in ms of the answered ones, at
    50, 95 and 99 %, None without any. `users` is None where it was not asked for."""

    requests: int = 0
    errors: int = 0
    priced: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: int = 0
    shadow_cost: int = 0
    latency: Sequence[int | None] = (None, None, None)
    first_token: Sequence[int | None] = (None, None, None)
    users: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What its requests have in common: an object's key, and the name copied at that time."""

    id: uuid.UUID | None
    name: str | None
    figures: Figures


@dataclass(slots=True)
class Sum:
    """Figures that can still be added to and taken from."""

    counts: Counter[str] = field(default_factory=Counter)
    latency: Counter[int] = field(default_factory=Counter)
    first_token: Counter[int] = field(default_factory=Counter)
    users: int | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """A row with the columns of `SUMS`; histograms are added by `unpack`."""
        return cls(Counter({name: int(row[name] or 0) for name in SUMS}))

    def unpack(self, latency: str | None, first_token: str | None) -> None:
        self.latency = Counter(unpacked(latency or "0"))
        self.first_token = Counter(unpacked(first_token or "0"))

    def add(self, other: "Sum") -> None:
        self.counts.update(other.counts)
        self.latency.update(other.latency)
        self.first_token.update(other.first_token)

    def coarsened(self) -> "Sum":
        """The same with coarse histograms: a coarse bucket is a number of fine ones."""
        found = Sum(Counter(self.counts), users=self.users)
        for theirs, ours in ((self.latency, found.latency), (self.first_token, found.first_token)):
            for bucket, count in theirs.items():
                ours[bucket_of(value_of(bucket, FINE), COARSE)] += count
        return found

    def take(self, other: "Sum") -> None:
        self.counts.subtract(other.counts)
        self.latency.subtract(other.latency)
        self.first_token.subtract(other.first_token)

    def figures(self, bits: int) -> Figures:
        return Figures(
            **{name: self.counts[name] for name in SUMS},
            latency=_shares(self.latency, bits),
            first_token=_shares(self.first_token, bits),
            users=self.users,
        )


def _shares(counts: Counter[int], bits: int) -> Sequence[int | None]:
    ordered = {bucket: counts[bucket] for bucket in sorted(counts) if counts[bucket]}
    return tuple(percentile(ordered, bits, share) for share in SHARES)
