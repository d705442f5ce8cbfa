"""What a request will cost: within the interval where answers were seen, never above the worst."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.credits import UNASKED_OUTPUT
from domain.health import Live
from domain.pricing import charge
from domain.quote import Quote, quote_of
from domain.routing import plan
from domain.usage import TokenUsage
from tests.domain.routing.catalogue import deployment, price, request, snapshot, vitals

DEAR = deployment("a/dear", price(3.0, 15.0))
CHEAP = deployment("b/cheap", price(0.5, 2.0))
UNPRICED = deployment("c/unpriced", None)


def quoted(model: str, seen: dict[str, Any] | None = None, markup: int = 0, **facts: Any) -> Quote:
    live = Live()
    if seen is not None:
        live = Live(vitals={DEAR.id: msgspec.structs.replace(vitals(0.5, 50.0), **seen)})
    asked = request(model=model, **facts)
    found = quote_of(asked, plan(snapshot(DEAR, CHEAP, UNPRICED), asked, live), live, markup)
    assert found is not None
    return found


def test_an_interval_follows_from_the_answers_seen() -> None:
    seen = {"output": 200, "output_low": 50, "output_high": 800}

    found = quoted("a/dear", seen, input_tokens=1_000)

    assert (found.outputs.low, found.outputs.expected, found.outputs.high) == (50, 200, 800)
    assert found.outputs.observed
    assert found.low == 3_000_000 + 50 * 15_000
    assert found.expected == 3_000_000 + 200 * 15_000
    assert found.high == 3_000_000 + 800 * 15_000


def test_the_callers_cap_bounds_every_end() -> None:
    found = quoted("a/dear", {"output": 200, "output_low": 50, "output_high": 800}, max_tokens=100)

    assert (found.outputs.low, found.outputs.expected, found.outputs.high) == (50, 100, 100)


def test_without_answers_seen_the_interval_is_all_there_can_be() -> None:
    found = quoted("a/dear")

    assert (found.outputs.low, found.outputs.high) == (1, UNASKED_OUTPUT)
    assert not found.outputs.observed


def test_an_unknown_price_has_no_quote() -> None:
    asked = request(model="c/unpriced")
    found = plan(snapshot(DEAR, UNPRICED), asked, Live())

    assert quote_of(asked, found, Live(), 0) is None


@given(
    tokens=st.integers(1, 100_000),
    cap=st.integers(1, 8_192),
    output=st.integers(1, 8_192),
    markup=st.integers(0, 5_000),
)
def test_no_answer_within_the_cap_costs_more_than_the_worst(
    tokens: int, cap: int, output: int, markup: int
) -> None:
    found = quoted("a/dear", markup=markup, input_tokens=tokens, max_tokens=cap)
    usage = TokenUsage(tokens, output=min(output, cap))

    assert charge(usage, DEAR.prices[0], markup) <= found.worst
    assert found.low <= found.expected <= found.high <= found.worst
