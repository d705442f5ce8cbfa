"""Sums of requests as they leave the database: what callers of the usage queries know. Pure."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from db.histogram import COARSE, FINE, bucket_of, percentile, unpacked, value_of
from db.queries.rollup import SUMS

NO_ID = uuid.UUID(int=0)

SHARES = (0.5, 0.95, 0.99)
_NO_SHARES = (None, None, None)


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
    """Figures that others can still be taken from; histograms are counts by bucket, in order."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SUMS, 0))
    latency: dict[int, int] = field(default_factory=dict)
    first_token: dict[int, int] = field(default_factory=dict)
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
        left = Sum(dict(self.counts), dict(self.latency), dict(self.first_token))
        for each in others:
            _take(left.counts, each.counts)
            if self.latency:
                _take(left.latency, each.latency)
                _take(left.first_token, each.first_token)
        return left

    def figures(self, bits: int) -> Figures:
        return Figures(
            **self.counts,
            latency=_shares(self.latency, bits),
            first_token=_shares(self.first_token, bits),
            users=self.users,
        )


def _coarse(fine: Mapping[int, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for bucket, count in fine.items():
        coarse = bucket_of(value_of(bucket, FINE), COARSE)
        found[coarse] = found.get(coarse, 0) + count
    return found


def _take(left: dict[Any, int], taken: Mapping[Any, int]) -> None:
    for key, count in taken.items():
        left[key] = left.get(key, 0) - count


def _shares(counts: Mapping[int, int], bits: int) -> Sequence[int | None]:
    if not counts:
        return _NO_SHARES
    # Buckets that others were taken from may be left empty, which changes no percentile.
    ordered = counts if any(counts.values()) else {}
    return tuple(percentile(ordered, bits, share) for share in SHARES)
