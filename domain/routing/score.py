"""Scores on fixed scales and the order they give; never relative to the other candidates."""

import uuid
from collections.abc import Iterable
from math import floor, inf, log
from typing import NamedTuple, TypeAlias

import msgspec

from domain.ruleset import BALANCED_WEIGHTS, Anchors, Ruleset, Strategy, Weights

SLOPE = 0.1
"""Of a scale beyond its anchors: order never collapses, and no outlier rules."""
DEGRADED = 0.15
BUCKET = 0.005
LATENCY_BUCKET = log(1.05)
HYSTERESIS = 0.03
WHOLE = 10_000

Key: TypeAlias = tuple[float | uuid.UUID, ...]
Lead: TypeAlias = tuple[int, bool, int]
Contender: TypeAlias = tuple[int, float, float, float, bool, int]
"""An `Estimate` of known price without names: cost, price, seconds, quality, degraded, priority."""


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """All of a candidate that ranking reads.

    `cost` is nano-USD and `price` $ per 1M tokens, None when unknown; `seconds` to be served.
    `place` is the caller's own index.
    """

    id: uuid.UUID
    model: str
    cost: int | None
    price: float | None
    seconds: float
    quality: float
    degraded: bool
    priority: int
    place: int = 0


class Scores(NamedTuple):
    """1 at the good anchor, 0 at the bad one."""

    cost: float
    latency: float
    quality: float


class Scale(msgspec.Struct, frozen=True):
    """How candidates are compared: a rule's strategy, weights and anchors."""

    strategy: Strategy
    weights: Weights
    anchors: Anchors
    tiers: bool = False

    @property
    def is_weighted(self) -> bool:
        return self.strategy is Strategy.BALANCED or self.strategy is Strategy.CUSTOM


def scale_of(ruleset: Ruleset, strategy: Strategy) -> Scale:
    weights = ruleset.weights if strategy is Strategy.CUSTOM else BALANCED_WEIGHTS
    return Scale(strategy, weights, ruleset.anchors, ruleset.priority_tiers)


class Scorer:
    """A scale made ready for many candidates."""

    __slots__ = (
        "_cost_weight",
        "_latency_best",
        "_latency_span",
        "_latency_weight",
        "_price_best",
        "_price_span",
        "_quality_span",
        "_quality_weight",
        "_quality_worst",
        "scale",
    )

    def __init__(self, scale: Scale) -> None:
        anchors, weights = scale.anchors, scale.weights
        self.scale = scale
        self._price_best = anchors.price_best
        self._price_span = log(anchors.price_worst / anchors.price_best)
        self._latency_best = anchors.latency_best
        self._latency_span = log(anchors.latency_worst / anchors.latency_best)
        self._quality_worst = anchors.quality_worst
        self._quality_span = anchors.quality_best - anchors.quality_worst
        self._cost_weight = weights.cost / WHOLE
        self._latency_weight = weights.latency / WHOLE
        self._quality_weight = weights.quality / WHOLE

    def scores(self, estimate: Estimate) -> Scores:
        """An unknown price scores as the dear anchor: never as free."""
        return Scores(*self._scores(estimate.price, estimate.seconds, estimate.quality))

    def contributions(self, estimate: Estimate) -> Scores:
        cost, latency, quality = self.scores(estimate)
        return Scores(
            self._cost_weight * cost,
            self._latency_weight * latency,
            self._quality_weight * quality,
        )

    def total(self, estimate: Estimate) -> float:
        return self._total(estimate.price, estimate.seconds, estimate.quality, estimate.degraded)

    def _total(self, price: float | None, seconds: float, quality: float, degraded: bool) -> float:
        by_cost, by_latency, by_quality = self._scores(price, seconds, quality)
        weighted = (
            self._cost_weight * by_cost
            + self._latency_weight * by_latency
            + self._quality_weight * by_quality
        )
        return weighted - DEGRADED if degraded else weighted

    def _scores(
        self, price: float | None, seconds: float, quality: float
    ) -> tuple[float, float, float]:
        cost = 0.0
        if price is not None:
            cost = 1.0 - log(price / self._price_best) / self._price_span
        latency = 1.0 - log(seconds / self._latency_best) / self._latency_span
        quality = (quality - self._quality_worst) / self._quality_span
        return (
            cost if 0.0 <= cost <= 1.0 else _beyond(cost),
            latency if 0.0 <= latency <= 1.0 else _beyond(latency),
            quality if 0.0 <= quality <= 1.0 else _beyond(quality),
        )

    def key(self, estimate: Estimate) -> Key:
        """Sorts candidates, the best first. Fixed buckets: a tolerance would not be transitive."""
        cost = inf if estimate.cost is None else estimate.cost
        seconds, priority, identity = estimate.seconds, estimate.priority, estimate.id
        strategy = self.scale.strategy
        if strategy is Strategy.COST:
            rank: Key = (estimate.degraded, cost, seconds, priority, identity)
        elif strategy is Strategy.LATENCY:
            bucket = floor(log(seconds) / LATENCY_BUCKET)
            rank = (estimate.degraded, bucket, cost, seconds, priority, identity)
        else:
            bucket = -floor(self.total(estimate) / BUCKET)
            rank = (bucket, cost, seconds, priority, identity)
        return (priority, *rank) if self.scale.tiers else rank

    def leads(self, contenders: Iterable[Contender]) -> list[Lead]:
        """The start of each one's `key`, for a fraction of its cost."""
        tiers, strategy = self.scale.tiers, self.scale.strategy
        if strategy is Strategy.COST:
            return [
                (priority if tiers else 0, degraded, cost)
                for cost, _, _, _, degraded, priority in contenders
            ]
        if strategy is Strategy.LATENCY:
            return [
                (priority if tiers else 0, degraded, floor(log(seconds) / LATENCY_BUCKET))
                for _, _, seconds, _, degraded, priority in contenders
            ]
        total = self._total
        return [
            (
                priority if tiers else 0,
                False,
                -floor(total(price, seconds, quality, degraded) / BUCKET),
            )
            for _, price, seconds, quality, degraded, priority in contenders
        ]


def _beyond(score: float) -> float:
    """Of a score outside 0..1."""
    return 1.0 + SLOPE * (score - 1.0) if score > 1.0 else SLOPE * score
