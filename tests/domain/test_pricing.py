"""Money is exact: against fractions, over everything a provider may report."""

import uuid
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import blended, cost, half_even, level_of
from domain.ruleset import PowerLevel, Ruleset
from domain.snapshot import Price
from domain.usage import TokenUsage
from tests.domain.routing.catalogue import deployment, price

PICO = st.integers(min_value=0, max_value=10**9)
TOKENS = st.integers(min_value=0, max_value=2_000_000)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    optional = st.none() | PICO
    return Price(
        uuid.UUID(int=0),
        0.0,
        draw(PICO),
        draw(PICO),
        draw(optional),
        draw(optional),
        draw(optional),
        draw(optional),
    )


@st.composite
def usages(draw: st.DrawFn) -> TokenUsage:
    plain, cached, written = draw(TOKENS), draw(TOKENS), draw(TOKENS)
    answer, reasoning = draw(TOKENS), draw(TOKENS)
    hour = draw(st.integers(min_value=0, max_value=written))
    return TokenUsage(
        input=plain + cached + written,
        cached=cached,
        cache_write=written,
        output=answer + reasoning,
        reasoning=reasoning,
        cache_write_1h=hour,
    )


@given(usages(), prices())
def test_cost_is_the_exact_sum_rounded_once(usage: TokenUsage, price: Price) -> None:
    def of(own: int | None, parent: int) -> Fraction:
        return Fraction(parent if own is None else own, 1_000)

    write = price.input if price.cache_write is None else price.cache_write
    plain = usage.input - usage.cached - usage.cache_write
    exact = (
        plain * of(price.input, 0)
        + usage.cached * of(price.cached_input, price.input)
        + (usage.cache_write - usage.cache_write_1h) * of(write, 0)
        + usage.cache_write_1h * of(price.cache_write_1h, write)
        + (usage.output - usage.reasoning) * of(price.output, 0)
        + usage.reasoning * of(price.reasoning, price.output)
    )
    assert cost(usage, price) == round(exact)


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=1, max_value=9999))
def test_rounds_halves_to_even_as_fractions_do(numerator: int, denominator: int) -> None:
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


def test_a_half_nano_dollar_goes_to_the_even_one() -> None:
    assert [half_even(n, 1_000) for n in (500, 1_500, 2_500, 2_501)] == [0, 2, 2, 3]


def test_parts_beyond_the_whole_are_charged_as_counted() -> None:
    assert cost(TokenUsage(input=10, cached=30), price(1.0, 2.0, cached=0.5)) == 15_000


def test_blended_price_is_three_parts_input() -> None:
    assert blended(price(2.50, 10.00)) == 4_375_000_000


@pytest.mark.parametrize(
    ("input", "output", "level"),
    [
        (0.0, 0.0, PowerLevel.ECO),
        (0.499999, 0.499999, PowerLevel.ECO),
        (0.5, 0.5, PowerLevel.BALANCED),
        (9.999999, 9.999999, PowerLevel.BALANCED),
        (10.0, 10.0, PowerLevel.PRECISION),
    ],
)
def test_a_level_begins_exactly_at_its_boundary(
    input: float, output: float, level: PowerLevel
) -> None:
    known = price(input, output)
    assert level_of(deployment("a/m", known), known, Ruleset()) is level


def test_a_pin_wins_over_the_price_and_an_unknown_price_has_no_level() -> None:
    dear = price(50.0, 50.0)
    assert level_of(deployment("a/m", dear, pin="ECO"), dear, Ruleset()) is PowerLevel.ECO
    assert level_of(deployment("a/m", None), None, Ruleset()) is None


def test_boundaries_come_from_the_rules() -> None:
    known = price(1.0, 1.0)
    rules = Ruleset(eco_below=2_000_000_000)
    assert level_of(deployment("a/m", known), known, rules) is PowerLevel.ECO
