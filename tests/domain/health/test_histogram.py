"""Histograms that forget."""

import math
import random

import pytest

from domain.health.histogram import GROWTH, Histogram


def test_an_empty_histogram_has_no_quantiles() -> None:
    histogram = Histogram(0.02, 120.0, 300.0)
    assert histogram.quantiles(0.5) == []
    assert histogram.count(1e9) == 0.0


def test_quantiles_are_right_to_the_width_of_a_bucket() -> None:
    chance = random.Random(1)
    values = sorted(chance.lognormvariate(0.0, 1.0) for _ in range(5_000))
    histogram = Histogram(0.02, 120.0, 1e9)
    for value in values:
        histogram.add(value, 0.0)
    found = histogram.quantiles(0.1, 0.5, 0.9, 0.99)
    for share, value in zip((0.1, 0.5, 0.9, 0.99), found, strict=True):
        assert abs(math.log(value / values[int(share * 5_000)])) < math.log(GROWTH)


def test_a_sample_weighs_half_after_its_half_life() -> None:
    histogram = Histogram(0.02, 120.0, 300.0)
    histogram.add(1.0, 1_000.0)
    assert histogram.count(1_300.0) == pytest.approx(0.5)
    histogram.add(1.0, 1_300.0)
    assert histogram.count(1_600.0) == pytest.approx(0.75)


def test_the_median_follows_the_new_and_survives_rescaling() -> None:
    histogram = Histogram(0.02, 120.0, 300.0)
    for second in range(20_000):
        histogram.add(0.5 if second < 19_000 else 4.0, 1e9 + second)
    (median,) = histogram.quantiles(0.5)
    assert 3.6 < median < 4.4
    assert histogram.count(1e9 + 20_000) == pytest.approx(300 / math.log(2), rel=0.01)


def test_values_beyond_the_ends_count_in_the_outermost_buckets() -> None:
    histogram = Histogram(0.02, 120.0, 300.0)
    histogram.add(0.0, 0.0)
    assert 0.02 <= histogram.quantiles(0.5)[0] <= 0.02 * GROWTH
    histogram.add(1e9, 0.0)
    assert 110.0 < histogram.quantiles(0.99)[0] < 150.0
