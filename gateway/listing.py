"""Reads a provider's list of models, whatever its shape; prices exactly or not at all."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.listed import ListedModel, ListedPrice
from domain.snapshot import Capability, Modality, ProviderType

_LONGEST_NAME = 200
_LONGEST_TITLE = 100
_MOST_TOKENS = 100_000_000
_DEAREST = 10**12
"""Pico-USD per token: a million dollars per 1M tokens."""
_PER_TOKEN, _PER_MILLION = 12, 6
"""Powers of ten from dollars, per token or per 1M tokens, to pico-dollars per token."""

_MODALITIES: Mapping[str, Modality] = {
    "text": Modality.TEXT,
    "image": Modality.IMAGE,
    "audio": Modality.AUDIO,
    "video": Modality.VIDEO,
    "file": Modality.PDF,
}
_PARAMETERS: Mapping[str, Capability] = {
    "tools": Capability.TOOLS,
    "structured_outputs": Capability.JSON_SCHEMA,
    "reasoning": Capability.REASONING,
}


def listed_models(kind: ProviderType, answer: Any) -> list[ListedModel]:
    """Models in `data`, in `models`, or in a bare array, one of each name.

    Raises ValueError for anything else.
    """
    rows = answer.get("data", answer.get("models")) if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise ValueError("no list")
    named = [one for row in rows if isinstance(row, dict) for one in _models(kind, row)]
    return list({one.name: one for one in named}.values())


def _models(kind: ProviderType, row: dict[str, Any]) -> Iterator[ListedModel]:
    name = row.get("id") or row.get("name")
    if not isinstance(name, str):
        return
    if kind is not ProviderType.HUGGINGFACE or not isinstance(row.get("providers"), list):
        yield from _model(kind, name.removeprefix("models/"), row)
        return
    # Each of its inference providers has a price of its own, and is named after a colon.
    for route in row["providers"]:
        if isinstance(route, dict) and route.get("status") == "live":
            yield from _model(kind, f"{name}:{route.get('provider')}", {**row, **route})


def _model(kind: ProviderType, name: str, row: dict[str, Any]) -> Iterator[ListedModel]:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or " " in name:
        return
    shape, top = _dict(row, "architecture"), _dict(row, "top_provider")
    inputs = _known(_MODALITIES, shape.get("input_modalities"))
    yield ListedModel(
        name=name,
        display_name=_title(row),
        context_length=_tokens(row, "context_length", "context_window", "inputTokenLimit"),
        max_output_tokens=_tokens(
            {**row, **top}, "max_completion_tokens", "outputTokenLimit", "max_output_length"
        ),
        input_modalities=inputs,
        output_modalities=_known(_MODALITIES, shape.get("output_modalities")),
        capabilities=_capabilities(row, inputs),
        price=_PRICES[kind](_dict(row, "pricing")) if kind in _PRICES else None,
    )


def _dict(row: dict[str, Any], name: str) -> dict[str, Any]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _title(row: dict[str, Any]) -> str | None:
    for key in ("display_name", "displayName", "name"):
        value = row.get(key)
        if isinstance(value, str) and (key != "name" or "id" in row):
            line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
            if line:
                return line[:_LONGEST_TITLE].strip()
    return None


def _tokens(row: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = row.get(name)
        if type(value) is int and 0 < value <= _MOST_TOKENS:
            return value
    return None


def _known(names: Mapping[str, Any], told: Any) -> tuple[Any, ...]:
    if not isinstance(told, list):
        return ()
    return tuple(dict.fromkeys(names[each] for each in told if str(each) in names))


def _capabilities(row: dict[str, Any], inputs: tuple[Modality, ...]) -> tuple[Capability, ...]:
    """Nothing unless the provider says what its model takes."""
    told = row.get("supported_parameters")
    if not isinstance(told, list):
        return ()
    sees = (Capability.VISION,) if Modality.IMAGE in inputs else ()
    return (Capability.STREAMING, *_known(_PARAMETERS, told), *sees)


def _pico(told: Any, power: int) -> int | None:
    """None for what is not said, below zero (it varies), or not whole."""
    if not isinstance(told, str | int | float) or isinstance(told, bool):
        return None
    try:
        scaled = Decimal(str(told)).scaleb(power)
        whole = scaled.is_finite() and 0 <= scaled <= _DEAREST and scaled == int(scaled)
    except (InvalidOperation, ValueError):
        return None
    return int(scaled) if whole else None


def _price_of_openrouter(told: dict[str, Any]) -> ListedPrice | None:
    """A fee for each request is nothing that a price per token can say."""
    input, output = _pico(told.get("prompt"), _PER_TOKEN), _pico(told.get("completion"), _PER_TOKEN)
    if input is None or output is None or _pico(told.get("request", "0"), _PER_TOKEN) != 0:
        return None
    return ListedPrice(
        input,
        output,
        _pico(told.get("input_cache_read"), _PER_TOKEN) or None,
        _pico(told.get("input_cache_write"), _PER_TOKEN) or None,
    )


def _price_per_million(told: dict[str, Any]) -> ListedPrice | None:
    """Nothing for both is what they say of models that are not billed by the token."""
    input, output = _pico(told.get("input"), _PER_MILLION), _pico(told.get("output"), _PER_MILLION)
    if input is None or output is None or not (input or output):
        return None
    return ListedPrice(input, output, _pico(told.get("cached_input"), _PER_MILLION) or None)


_PRICES: Mapping[ProviderType, Callable[[dict[str, Any]], ListedPrice | None]] = {
    ProviderType.OPENROUTER: _price_of_openrouter,
    ProviderType.TOGETHER: _price_per_million,
    ProviderType.HUGGINGFACE: _price_per_million,
}
"""The others tell no prices."""
