"""What a request is expected to cost and take at a deployment (routing.md 2)."""

from collections.abc import Iterable
from statistics import fmean, pstdev

from domain.health import Vitals
from domain.pricing import half_even
from domain.request import RequestFacts
from domain.routing.index import Entry
from domain.snapshot import Assumption, Deployment

OUTPUT = 256
"""Tokens of an answer of a deployment never observed."""
STREAMED = 50
"""Tokens after which a reader of a stream is served."""
FLOOR = 0.01
"""$ per 1M tokens below which a price makes no more difference to the score."""


def answer(entry: Entry, facts: RequestFacts, vitals: Vitals | None) -> tuple[int, int | None]:
    """Its length in tokens, as seen and under every cap, and the request's cost in nano-USD."""
    output, cached = OUTPUT, 0.0
    if vitals is not None:
        cached = vitals.cached_share
        if vitals.output is not None:
            output = vitals.output
    asked, longest = facts.max_tokens, entry.deployment.max_output_tokens
    if asked is not None and asked < output:
        output = asked
    if longest is not None and longest < output:
        output = longest
    price = entry.price
    if price is None:
        return output, None
    pico = facts.input_tokens * price.input + output * price.output
    if cached and price.cached_input is not None:
        pico -= int(facts.input_tokens * cached) * (price.input - price.cached_input)
    return output, half_even(pico, 1_000)


def effective_price(cost: float, tokens: int) -> float:
    """$ per 1M tokens of a request that costs `cost` nano-USD, with the floor."""
    price = cost / (1_000 * tokens) if tokens else 0.0
    return price if price > FLOOR else FLOOR


def seconds(ttft: float, speed: float, output: int, *, stream: bool) -> float:
    """Until the reader of a stream is served, or until a whole answer is there."""
    return ttft + (STREAMED if stream else output) / speed


def assumption(deployments: Iterable[Deployment]) -> Assumption:
    """Of a model nobody measured: a standard deviation below the mean of those that are known.

    It follows from the catalogue, not from a request's candidates: a candidate that loses must
    not move it.
    """
    known = [deployment.quality for deployment in deployments if deployment.quality is not None]
    if not known:
        return Assumption()
    mean, deviation = fmean(known), pstdev(known)
    low = max(mean - 2 * deviation, 0.0)
    return Assumption(max(mean - deviation, 0.0), low, mean, len(known))
