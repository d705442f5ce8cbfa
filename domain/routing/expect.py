"""What a request is expected to cost and take at a deployment (routing.md 2)."""

from collections.abc import Iterable
from statistics import fmean, pstdev

from domain.pricing import half_even
from domain.snapshot import Deployment, Price

OUTPUT = 256
"""Tokens of an answer of a deployment never observed."""
STREAMED = 50
"""Tokens after which a reader of a stream is served."""
FLOOR = 0.01
"""$ per 1M tokens below which a price makes no more difference to the score."""
UNKNOWN_QUALITY = 0.5


def cost(price: Price, input_tokens: int, output: int, cached_share: float) -> int:
    """Nano-USD, expected."""
    pico = input_tokens * price.input + output * price.output
    if cached_share and price.cached_input is not None:
        pico -= int(input_tokens * cached_share) * (price.input - price.cached_input)
    return half_even(pico, 1_000)


def effective_price(cost: float, tokens: int) -> float:
    """$ per 1M tokens of a request that costs `cost` nano-USD, with the floor."""
    price = cost / (1_000 * tokens) if tokens else 0.0
    return price if price > FLOOR else FLOOR


def seconds(ttft: float, speed: float, output: int, *, stream: bool) -> float:
    """Until the reader of a stream is served, or until a whole answer is there."""
    return ttft + (STREAMED if stream else output) / speed


def assumed_quality(deployments: Iterable[Deployment]) -> float:
    """Of a model nobody measured: a standard deviation below the mean of those that are known.

    It follows from the catalogue, not from a request's candidates: a candidate that loses must
    not move it.
    """
    known = [deployment.quality for deployment in deployments if deployment.quality is not None]
    return max(fmean(known) - pstdev(known), 0.0) if known else UNKNOWN_QUALITY
