"""Scores on fixed scales and the order they give; never relative to the other candidates."""

import math
import uuid
from typing import NamedTuple, TypeAlias

import msgspec

from domain.ruleset import BALANCED_WEIGHTS, Anchors, Ruleset, Strategy, Weights

SLOPE = 0.1
"""Of a scale beyond its anchors: order never collapses, and no outlier rules."""
DEGRADED = 0.15
BUCKET = 0.005
LATENCY_BUCKET = math.log(1.05)
HYSTERESIS = 0.03
WHOLE = 10_000

Key: TypeAlias = tuple[float | uuid.UUID, ...]


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """All of a candidate that ranking reads.

    `cost` is nano-USD and `price` $ per 1M tokens, None when unknown; `seconds` to be served.
    """

    id: uuid.UUID
    model: str
    cost: int | None
    price: float | None
    seconds: float
    quality: float
    degraded: bool
    priority: int


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


def scores(estimate: Estimate, anchors: Anchors) -> Scores:
    """An unknown price scores as the dear anchor: never as free."""
    return Scores(
        0.0
        if estimate.price is None
        else _logarithmic(estimate.price, anchors.price_best, anchors.price_worst),
        _logarithmic(estimate.seconds, anchors.latency_best, anchors.latency_worst),
        _beyond(
            (estimate.quality - anchors.quality_worst)
            / (anchors.quality_best - anchors.quality_worst)
        ),
    )


def total(estimate: Estimate, scale: Scale) -> float:
    cost, latency, quality = scores(estimate, scale.anchors)
    weights = scale.weights
    weighted = weights.cost * cost + weights.latency * latency + weights.quality * quality
    return weighted / WHOLE - (DEGRADED if estimate.degraded else 0.0)


def key(estimate: Estimate, scale: Scale) -> Key:
    """Sorts candidates, the best first. Fixed buckets: a tolerance would not be transitive."""
    cost = math.inf if estimate.cost is None else estimate.cost
    last = (estimate.priority, estimate.id)
    match scale.strategy:
        case Strategy.COST:
            rank: Key = (estimate.degraded, cost, estimate.seconds, *last)
        case Strategy.LATENCY:
            bucket = math.floor(math.log(estimate.seconds) / LATENCY_BUCKET)
            rank = (estimate.degraded, bucket, cost, estimate.seconds, *last)
        case _:
            bucket = -math.floor(total(estimate, scale) / BUCKET)
            rank = (bucket, cost, estimate.seconds, *last)
    return (estimate.priority, *rank) if scale.tiers else rank


def _logarithmic(value: float, best: float, worst: float) -> float:
    return _beyond(1.0 - math.log(value / best) / math.log(worst / best))


def _beyond(score: float) -> float:
    if score > 1.0:
        return 1.0 + SLOPE * (score - 1.0)
    return SLOPE * score if score < 0.0 else score
