"""Scores on fixed scales, and the order that each strategy gives."""

import math
import uuid

import pytest

from domain.routing.score import Estimate, Scale, Scorer, Scores
from domain.ruleset import ANCHORS, BALANCED_WEIGHTS, Strategy, Weights
from tests.domain.routing.catalogue import identity


def estimate(
    name: str = "m",
    *,
    cost: int | None = 1_000,
    price: float | None = 1.0,
    seconds: float = 2.0,
    quality: float = 0.7,
    degraded: bool = False,
    priority: int = 100,
) -> Estimate:
    return Estimate(identity(name), name, cost, price, seconds, quality, degraded, priority)


def scorer(strategy: Strategy = Strategy.BALANCED, *, tiers: bool = False) -> Scorer:
    return Scorer(Scale(strategy, BALANCED_WEIGHTS, ANCHORS, tiers))


def scores(one: Estimate) -> Scores:
    return scorer().scores(one)


def best(strategy: Strategy, *estimates: Estimate, tiers: bool = False) -> str:
    return min(estimates, key=scorer(strategy, tiers=tiers).key).model


def test_scores_are_one_and_zero_at_the_anchors() -> None:
    assert scores(estimate(price=0.05, seconds=0.3, quality=0.95)) == (1.0, 1.0, 1.0)
    at_worst = scores(estimate(price=50.0, seconds=30.0, quality=0.40))
    assert at_worst == (0.0, 0.0, 0.0)


def test_scores_are_logarithmic_in_price_and_latency_and_linear_in_quality() -> None:
    middle = estimate(price=math.sqrt(0.05 * 50), seconds=3.0, quality=0.675)
    assert scores(middle) == pytest.approx((0.5, 0.5, 0.5))


def test_beyond_an_anchor_order_never_collapses() -> None:
    dear, dearer = scores(estimate(price=60.0)), scores(estimate(price=600.0))
    assert 0.0 > dear.cost > dearer.cost > -0.05
    fast, faster = (scores(estimate(seconds=s)).latency for s in (0.2, 0.1))
    assert 1.0 < fast < faster < 1.05


def test_an_unknown_price_scores_as_the_dear_anchor() -> None:
    assert scores(estimate(cost=None, price=None)).cost == 0.0


def test_the_total_is_the_weighted_sum_less_the_penalty_of_a_degraded_one() -> None:
    weights = Weights(cost=5000, latency=3000, quality=2000)
    weighted = Scorer(Scale(Strategy.CUSTOM, weights, ANCHORS))
    sound = estimate(price=0.05, seconds=30.0, quality=0.95)
    assert weighted.total(sound) == pytest.approx(0.7)
    assert weighted.total(estimate(price=0.05, seconds=30.0, quality=0.95, degraded=True)) == (
        pytest.approx(0.55)
    )


def test_cost_takes_the_cheapest_for_this_request_then_the_faster() -> None:
    cheap, dear = estimate("cheap", cost=10, seconds=9.0), estimate("dear", cost=11, seconds=1.0)
    assert best(Strategy.COST, dear, cheap) == "cheap"
    assert best(Strategy.COST, cheap, estimate("fast", cost=10, seconds=8.0)) == "fast"


def test_latency_takes_the_fastest_and_within_five_percent_the_cheaper() -> None:
    fast = estimate("fast", cost=20, seconds=1.0)
    assert best(Strategy.LATENCY, fast, estimate("slow", cost=10, seconds=1.2)) == "fast"
    assert best(Strategy.LATENCY, fast, estimate("alike", cost=10, seconds=1.03)) == "alike"


@pytest.mark.parametrize("strategy", [Strategy.COST, Strategy.LATENCY])
def test_degraded_ones_go_last(strategy: Strategy) -> None:
    ill = estimate("ill", cost=1, seconds=0.1, degraded=True)
    assert best(strategy, ill, estimate("well", cost=90, seconds=9.0)) == "well"


def test_equal_scores_go_to_the_cheaper_the_faster_the_preferred_and_the_first_id() -> None:
    balanced = Strategy.BALANCED
    assert best(balanced, estimate("a", cost=1_001), estimate("b", cost=1_000)) == "b"
    assert best(balanced, estimate("a"), estimate("b", priority=5)) == "b"
    first = min(("a", "b"), key=identity)
    assert best(balanced, estimate("a"), estimate("b")) == first


def test_scores_closer_than_a_bucket_are_equal() -> None:
    dearer = estimate("dearer", cost=1_001, quality=0.7004)
    assert best(Strategy.BALANCED, dearer, estimate("cheaper", cost=1_000)) == "cheaper"


@pytest.mark.parametrize("strategy", list(Strategy))
def test_priority_tiers_come_before_everything(strategy: Strategy) -> None:
    poor = estimate("poor", cost=9_000, price=9.0, seconds=20.0, quality=0.5, priority=1)
    assert best(strategy, estimate("good", priority=2), poor, tiers=True) == "poor"
    assert best(strategy, estimate("good", priority=2), poor) == "good"


def test_keys_of_one_scale_can_always_be_compared() -> None:
    ids = [uuid.UUID(int=n) for n in (2, 1)]
    alike = [Estimate(one, "m", None, None, 2.0, 0.7, False, 100) for one in ids]
    for strategy in Strategy:
        assert min(alike, key=scorer(strategy).key).id == ids[1]
