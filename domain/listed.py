"""Models as a provider lists them, before anybody decided to serve them."""

from dataclasses import dataclass

from domain.snapshot import Capability, Modality


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """Pico-USD per token; None: the provider does not say."""

    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as its provider lists it. None and empty: the provider does not say."""

    name: str
    display_name: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: tuple[Modality, ...] = ()
    output_modalities: tuple[Modality, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    price: ListedPrice | None = None
