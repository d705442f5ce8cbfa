"""What a request will cost, before it is sent: an interval, and the worst case."""

import msgspec

from domain.credits import UNASKED_OUTPUT, bound_of
from domain.health import Live
from domain.pricing import charge
from domain.request import RequestFacts
from domain.routing import Plan
from domain.routing.expect import OUTPUT
from domain.snapshot import Deployment
from domain.usage import TokenUsage


class Outputs(msgspec.Struct, frozen=True):
    """Tokens of an answer. `observed`: nine of ten answers seen lie above `low`, and below `high`;
    else nothing is known but that they lie between."""

    low: int
    expected: int
    high: int
    observed: bool


class Quote(msgspec.Struct, frozen=True):
    """Nano-USD, markup included. The interval is for whom it would be sent to first; `worst` is
    no less than anybody's in the plan."""

    low: int
    expected: int
    high: int
    worst: int
    outputs: Outputs


def quote_of(facts: RequestFacts, planned: Plan, live: Live, markup: int) -> Quote | None:
    """None when the price is unknown, or nobody may serve. `markup` in basis points."""
    if not planned.candidates or planned.candidates[0].price is None:
        return None
    first, price = planned.candidates[0], planned.candidates[0].price
    outputs = _outputs(facts, first.deployment, live)

    def cost(output: int) -> int:
        return charge(TokenUsage(facts.input_tokens, output=output), price, markup)

    bounds = [
        bound_of(facts, 1, each.deployment, each.price, markup)
        for each in planned.candidates
        if each.price is not None
    ]
    return Quote(
        low=cost(outputs.low),
        expected=cost(outputs.expected),
        high=cost(outputs.high),
        worst=max(bound.worst for bound in bounds),
        outputs=outputs,
    )


def _outputs(facts: RequestFacts, deployment: Deployment, live: Live) -> Outputs:
    longest = deployment.max_output_tokens or UNASKED_OUTPUT
    most = min(longest, facts.max_tokens or UNASKED_OUTPUT)
    vitals = live.vitals.get(deployment.id)
    if vitals is None or vitals.output is None:
        return Outputs(min(1, most), min(OUTPUT, most), most, observed=False)
    low, high = vitals.output_low or 0, vitals.output_high or vitals.output
    return Outputs(min(low, most), min(vitals.output, most), min(high, most), observed=True)
