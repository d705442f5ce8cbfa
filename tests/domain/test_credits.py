"""What a request is charged, and the bound that is held for it: exact to the last digit."""

import uuid
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.budget import BudgetKind, Period, budget
from domain.credits import UNASKED_OUTPUT, bound_of
from domain.pricing import charge, cost
from domain.request import RequestFacts
from domain.snapshot import Deployment, Modality, Price, Provider, ProviderType
from domain.usage import TokenUsage

ID = uuid.UUID(int=9)
PROVIDER = Provider(ID, "one", ProviderType.CUSTOM, "https://x.test")
TOKENS = st.integers(0, 2_000_000)
PRICES = st.integers(0, 200_000_000)
MAYBE = st.none() | PRICES
PRICE = st.builds(
    lambda i, o, *apart: Price(ID, 0.0, i, o, *apart), PRICES, PRICES, MAYBE, MAYBE, MAYBE, MAYBE
)
MARKUP = st.integers(0, 100_000)


@st.composite
def usages(draw: st.DrawFn) -> TokenUsage:
    input, output = draw(TOKENS), draw(TOKENS)
    cached = draw(st.integers(0, input))
    return TokenUsage(
        input, cached, draw(st.integers(0, input - cached)), output, draw(st.integers(0, output))
    )


def deployment(window: int | None = None, longest: int | None = None) -> Deployment:
    return Deployment(ID, PROVIDER, "m", "m", "m", context_length=window, max_output_tokens=longest)


def facts(
    tokens: int = 0, most: int | None = None, *kinds: Modality, hour: bool = False
) -> RequestFacts:
    modalities = frozenset({Modality.TEXT, *kinds})
    return RequestFacts(
        ID, 0.0, "m", ID, tokens, max_tokens=most, modalities=modalities, keeps_an_hour=hour
    )


def in_dollars(usage: TokenUsage, price: Price) -> Fraction:
    """The same in fractions of a dollar, component by component."""
    write = price.input if price.cache_write is None else price.cache_write
    parts = (
        (usage.input - usage.cached - usage.cache_write, price.input),
        (usage.cached, price.input if price.cached_input is None else price.cached_input),
        (usage.cache_write - usage.cache_write_1h, write),
        (usage.cache_write_1h, write if price.cache_write_1h is None else price.cache_write_1h),
        (usage.output - usage.reasoning, price.output),
        (usage.reasoning, price.output if price.reasoning is None else price.reasoning),
    )
    return sum((tokens * Fraction(each, 10**12) for tokens, each in parts), Fraction(0))


@given(usages(), PRICE, MARKUP)
def test_a_charge_is_the_cost_and_its_markup_rounded_once(
    usage: TokenUsage, price: Price, markup: int
) -> None:
    exact = in_dollars(usage, price) * 10**9

    assert cost(usage, price) == round(exact)
    assert charge(usage, price, markup) == round(exact * (10_000 + markup) / 10_000)
    assert charge(usage, price, 0) == cost(usage, price)


@given(usages(), PRICE, MARKUP, st.integers(1, 8))
def test_no_answer_within_its_bounds_is_dearer_than_what_is_held(
    usage: TokenUsage, price: Price, markup: int, choices: int
) -> None:
    asked = facts(usage.input, usage.output or 1, hour=usage.cache_write_1h > 0)
    bound = bound_of(asked, choices, deployment(), price, markup)
    longest = TokenUsage(
        usage.input,
        usage.cached,
        usage.cache_write,
        usage.output * choices,
        usage.reasoning * choices,
        usage.cache_write_1h,
    )

    assert charge(longest, price, markup) <= bound.worst


@given(PRICE, MARKUP, st.integers(1, 4), st.integers(0, 10**12))
def test_what_is_held_pays_for_the_tokens_it_is_said_to(
    price: Price, markup: int, choices: int, amount: int
) -> None:
    bound = bound_of(facts(1_000, 5_000), choices, deployment(), price, markup)

    tokens = bound.covered(amount)

    if tokens > 0:
        assert bound.cost(tokens) <= max(amount, bound.worst if tokens == 5_000 else amount)
    if 0 < tokens < 5_000:
        assert bound.cost(tokens + 1) > amount


@pytest.mark.parametrize(
    ("asked", "longest", "expected"),
    [
        (None, None, UNASKED_OUTPUT),
        (None, 4_096, 4_096),
        (None, 64_000, UNASKED_OUTPUT),
        (20_000, 64_000, 20_000),
    ],
)
def test_without_a_limit_of_output_ours_applies(
    asked: int | None, longest: int | None, expected: int
) -> None:
    price = Price(ID, 0.0, 0, 1_000_000)

    assert bound_of(facts(1, asked), 1, deployment(None, longest), price, 0).tokens == expected


def test_what_is_not_text_may_fill_the_window() -> None:
    price = Price(ID, 0.0, 1_000, 0)

    text = bound_of(facts(100, 1), 1, deployment(128_000), price, 0)
    image = bound_of(facts(100, 1, Modality.IMAGE), 1, deployment(128_000), price, 0)
    embedded = bound_of(facts(300_000, 0, Modality.EMBEDDING), 1, deployment(8_192), price, 0)

    assert (text.before, image.before) == (637, 128_000)
    assert (embedded.before, embedded.tokens) == (375_512, 0)


def test_a_budget_is_of_its_period_and_says_when_the_next_begins() -> None:
    late = datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    day = budget(BudgetKind.USER, ID, Period.DAY, 1, late)
    month = budget(BudgetKind.USER, ID, Period.MONTH, 1, late)
    following = budget(BudgetKind.USER, ID, Period.DAY, 1, late + 60)

    assert day.renews_at == month.renews_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert len({day.id, month.id, following.id}) == 3
    assert budget(BudgetKind.USER, ID, Period.DAY, 99, late - 3_600).id == day.id
