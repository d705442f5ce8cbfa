"""List prices from genai-prices: a maintained open package, read offline, exact to the digit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version

from genai_prices import data_snapshot
from genai_prices.types import ModelPrice, Provider, TieredPrices

SOURCE = f"genai-prices {version('genai-prices')}"

_PROVIDERS: Mapping[str, str] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "openrouter": "openrouter",
    "together": "together",
    "cohere": "cohere",
}
_ROUTED = "huggingface_"
"""Hugging Face bills by the inference provider that a model's name pins: `owner/model:novita`."""

_HOUR = 2
"""Of the price of input, what Anthropic asks for what its cache keeps an hour; the package tells
only of five minutes."""
_PER_MILLION = 6  # dollars per 1M tokens to pico-dollars per token: 10^12 / 10^6


@dataclass(frozen=True, slots=True)
class ListPrice:
    """Pico-USD per token. Beyond `up_to` input tokens another price holds; None: never.

    `audio_apart`: sound costs more than text, which a price per token of input cannot say.
    """

    input: int
    output: int
    cached_input: int | None
    cache_write: int | None
    cache_write_1h: int | None
    reasoning: int | None
    up_to: int | None
    audio_apart: bool


def list_price(provider_slug: str, model: str, at: datetime) -> ListPrice | None:
    """What the provider asks for `model` at `at`; None when the package does not know."""
    name = model
    source = _PROVIDERS.get(provider_slug)
    if provider_slug == "huggingface" and ":" in model:
        name, _, route = model.rpartition(":")
        source = _ROUTED + route
    found = next((each for each in _providers() if each.id == source), None)
    info = None if found is None else found.find_model(name)
    found_price = None if info is None else _exact(info.get_prices(at))
    if found_price is None or source != "anthropic" or found_price.cache_write is None:
        return found_price
    return replace(found_price, cache_write_1h=_HOUR * found_price.input)


def huggingface_routes(model: str) -> list[str]:
    """The inference providers that serve a Hugging Face model at a known price."""
    return [
        each.id.removeprefix(_ROUTED)
        for each in _providers()
        if each.id.startswith(_ROUTED) and each.find_model(model) is not None
    ]


def _providers() -> list[Provider]:
    """The packaged table, 5 MB, read when it is asked for: most processes never do."""
    return data_snapshot.get_snapshot().providers


def _exact(prices: ModelPrice) -> ListPrice | None:
    per_kind = vars(prices)
    tiers: list[int] = []

    def pico(kind: str) -> int | None:
        price: Decimal | TieredPrices | None = per_kind.get(kind)
        if isinstance(price, TieredPrices):
            tiers.append(price.tiers[0].start)
            price = price.base
        if price is None:
            return None
        scaled = price.scaleb(_PER_MILLION)
        return int(scaled) if scaled == scaled.to_integral_value() else None

    input, output = pico("input_mtok"), pico("output_mtok")
    cached, write = pico("cache_read_mtok"), pico("cache_write_mtok")
    if input is None or output is None:
        return None
    reasoning, audio = pico("output_reasoning_mtok"), pico("input_audio_mtok")
    return ListPrice(
        input=input,
        output=output,
        cached_input=cached,
        cache_write=write,
        cache_write_1h=None,
        reasoning=reasoning,
        up_to=min(tiers, default=None),
        audio_apart=audio not in (None, input),
    )
