"""How long an attempt may take."""

import pytest

from domain.health import Vitals, answer_deadline, first_token_deadline
from tests.domain.routing.catalogue import vitals


def seen(mean: float, deviation: float = 0.0, prefill: float | None = None) -> Vitals:
    return vitals(0.5, 60.0, ttft_mean=mean, ttft_deviation=deviation, prefill=prefill)


@pytest.mark.parametrize(
    ("mean", "deviation", "seconds"),
    [(0.2, 0.05, 2.5), (1.0, 0.25, 4.0), (2.0, 3.0, 10.0)],
)
def test_twice_the_mean_and_four_deviations_within_bounds(
    mean: float, deviation: float, seconds: float
) -> None:
    assert first_token_deadline(seen(mean, deviation), 0, reasoning=False) == seconds


def test_an_unobserved_deployment_has_the_longest() -> None:
    assert first_token_deadline(None, 0, reasoning=False) == 10.0


def test_a_long_prompt_has_the_time_to_be_read() -> None:
    assert first_token_deadline(seen(0.2, prefill=10_000.0), 50_000, reasoning=False) == 7.5
    assert first_token_deadline(None, 40_000, reasoning=False) == 20.0


def test_a_model_that_reasons_has_a_minute() -> None:
    assert first_token_deadline(seen(0.2), 0, reasoning=True) == 60.0


def test_a_whole_answer_may_take_what_its_length_takes() -> None:
    assert answer_deadline(seen(0.2), 0, 200, reasoning=False) == 2.5 + 200 / 20.0
    assert answer_deadline(None, 0, None, reasoning=False) == pytest.approx(10.0 + 4_096 / 15.0)
