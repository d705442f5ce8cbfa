"""What tokens cost, in integers: prices in pico-USD per token, amounts in nano-USD."""

from decimal import Decimal

from domain.ruleset import PowerLevel, Ruleset
from domain.snapshot import Deployment, Price
from domain.usage import TokenUsage


def cost(usage: TokenUsage, price: Price) -> int:
    """What one answer costs, in nano-USD, rounded once, half to even."""
    return half_even(exact(usage, price), 1_000)


def charge(usage: TokenUsage, price: Price, markup: int) -> int:
    """Cost with `markup` (basis points) in nano-USD, rounded once, half to even."""
    return half_even(exact(usage, price) * (10_000 + markup), 10_000_000)


def exact(usage: TokenUsage, price: Price) -> int:
    """What one answer costs, in pico-USD.

    A component without a price of its own is charged as its parent kind. Where a provider's
    parts exceed its whole, each part is charged as counted and the remainder is nothing.
    """
    if not (usage.cached or usage.cache_write or usage.cache_write_1h or usage.reasoning):
        return max(0, usage.input) * price.input + max(0, usage.output) * price.output
    cached_price = price.input if price.cached_input is None else price.cached_input
    write_price = price.input if price.cache_write is None else price.cache_write
    hour_price = write_price if price.cache_write_1h is None else price.cache_write_1h
    reasoning_price = price.output if price.reasoning is None else price.reasoning
    return (
        max(0, usage.input - usage.cached - usage.cache_write) * price.input
        + usage.cached * cached_price
        + max(0, usage.cache_write - usage.cache_write_1h) * write_price
        + usage.cache_write_1h * hour_price
        + max(0, usage.output - usage.reasoning) * price.output
        + usage.reasoning * reasoning_price
    )


def half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, halves to the even one."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def blended(price: Price) -> int:
    """Nano-USD per 1M tokens at 3 input : 1 output; exact."""
    return 250 * (3 * price.input + price.output)


def level_of(deployment: Deployment, price: Price | None, ruleset: Ruleset) -> PowerLevel | None:
    """The one level a model belongs to: its pin, else by price. None: no pin and no price."""
    if deployment.level_pin is not None:
        return PowerLevel(deployment.level_pin)
    if price is None:
        return None
    dollars = blended(price)
    if dollars < ruleset.eco_below:
        return PowerLevel.ECO
    if dollars < ruleset.precision_from:
        return PowerLevel.BALANCED
    return PowerLevel.PRECISION


def dollars(nano: int) -> str:
    """An amount as decimal dollars without trailing zeros: 1_500_000_000 → "1.5"."""
    digits = f"{abs(nano):010}"
    text = f"{'-' if nano < 0 else ''}{digits[:-9]}.{digits[-9:]}"
    return text.rstrip("0").rstrip(".")


def usd_text(nano: int) -> str:
    """Nano-USD as dollars without trailing zeros: 1_500_000_000 → "1.5"."""
    text = format(Decimal(nano).scaleb(-9), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
