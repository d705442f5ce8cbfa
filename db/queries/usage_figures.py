"""Sums of requests as they leave the database: what callers of the usage queries know. Pure."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from db.histogram import COARSE, FINE, bucket_of, percentiles, unpacked, value_of
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
    """Figures that others can still be taken from; histograms are counts by bucket."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SUMS, 0))
    latency: list[int] = field(default_factory=list)
    first_token: list[int] = field(default_factory=list)
    users: int | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """A row with the columns of `SUMS`; histograms are added by `unpack`."""
        return cls({name: int(row[name] or 0) for name in SUMS})

    def unpack(self, latency: str | None, first_token: str | None) -> None:
        self.latency = unpacked(latency or "0")
        self.first_token = unpacked(first_token or "0")

    def coarsened(self) -> "Sum":
        """The same with coarse histograms: a coarse bucket is a number of fine ones."""
        return Sum(self.counts, _coarse(self.latency), _coarse(self.first_token), self.users)

    def without(self, others: Iterable["Sum"]) -> "Sum":
        """What is left when others are taken away."""
        left = Sum(dict(self.counts), list(self.latency), list(self.first_token))
        for each in others:
            for name, count in each.counts.items():
                left.counts[name] -= count
            if self.latency:
                _take(left.latency, each.latency)
                _take(left.first_token, each.first_token)
        return left

    def figures(self, bits: int) -> Figures:
        return Figures(
            **self.counts,
            latency=percentiles(self.latency, bits, SHARES),
            first_token=percentiles(self.first_token, bits, SHARES),
            users=self.users,
        )


def _coarse(fine: Sequence[int]) -> list[int]:
    found: list[int] = []
    for bucket, count in enumerate(fine):
        if count:
            coarse = bucket_of(value_of(bucket, FINE), COARSE)
            found += [0] * (coarse + 1 - len(found))
            found[coarse] += count
    return found


def _take(left: list[int], taken: Sequence[int]) -> None:
    for bucket, count in enumerate(taken):
        if count:
            left[bucket] -= count
