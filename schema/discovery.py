"""What a provider says it serves, against what is held here."""

import uuid
from collections.abc import Awaitable
from typing import Annotated, Any, Self

import strawberry

from auth.policies import Policy
from db.keyset import Row
from domain.discovery import Change, Chosen
from domain.listed import ListedPrice
from domain.model import nano_per_million
from schema.context import Info
from schema.enums import Capability, DiscoveryKind, Modality
from schema.errors import ConflictError, InvalidInputError, NotFoundError, ProviderError
from schema.fields import attribute, edge, object_type, result
from schema.model import Model
from schema.node import load_node
from schema.price import PriceInput
from schema.provider import Provider
from schema.scalars import USD

MOST_SHOWN = 300
"""With everything that is told of each, so many fit into one operation's cost."""
_WORDS = 1
"""What a list of words counts for: it comes with the change, at no cost of its own."""


@object_type(Policy.ADMIN, description="US dollars per 1M tokens.")
class DiscoveredPrice:
    input: USD
    output: USD
    cached_input: USD | None = attribute(description="Null: not told; charged as input.")
    cache_write: USD | None = attribute(description="Null: not told; charged as input.")
    cache_write_1h: USD | None = attribute(
        description="Of what the cache keeps an hour. Null: not told; charged as other writes."
    )

    @classmethod
    def of(cls, price: ListedPrice | Row) -> Self:
        return cls(
            input=USD(nano_per_million(price.input)),
            output=USD(nano_per_million(price.output)),
            cached_input=_usd(price.cached_input),
            cache_write=_usd(price.cache_write),
            cache_write_1h=_usd(price.cache_write_1h),
        )


def _usd(pico: int | None) -> USD | None:
    return None if pico is None else USD(nano_per_million(pico))


@object_type(
    Policy.ADMIN,
    description="One difference. What the provider does not say of a model is null or empty.",
)
class DiscoveredChange:
    model_key: strawberry.Private[uuid.UUID | None]
    kind: DiscoveryKind
    name: str
    display_name: str | None
    context_length: int | None
    max_output_tokens: int | None
    input_modalities: list[Modality] = attribute(size=_WORDS)
    output_modalities: list[Modality] = attribute(size=_WORDS)
    capabilities: list[Capability] = attribute(size=_WORDS)
    price: DiscoveredPrice | None = attribute(
        description="What it costs now, as the provider says; null: unknown, which is not 0."
    )
    held_price: DiscoveredPrice | None = attribute(description="What is charged here now.")

    @classmethod
    def of(cls, change: Change) -> Self:
        listed = change.listed
        return cls(
            model_key=None if change.held is None else change.held.id,
            kind=change.kind,
            name=change.name,
            display_name=None if listed is None else listed.display_name,
            context_length=None if listed is None else listed.context_length,
            max_output_tokens=None if listed is None else listed.max_output_tokens,
            input_modalities=[] if listed is None else list(listed.input_modalities),
            output_modalities=[] if listed is None else list(listed.output_modalities),
            capabilities=[] if listed is None else list(listed.capabilities),
            price=(
                None if listed is None or listed.price is None else DiscoveredPrice.of(listed.price)
            ),
            held_price=None if change.price is None else DiscoveredPrice.of(change.price),
        )

    @edge(description="The model here; null for what is NEW.", graphql_type=Model | None)
    def model(self, info: Info) -> Awaitable[Any] | None:
        return None if self.model_key is None else load_node(info, "Model", self.model_key)


@strawberry.input(description="Which provider to ask.")
class DiscoverModelsInput:
    provider: strawberry.ID


@strawberry.input(description="Which provider to compare with the packaged catalogue.")
class RefreshCatalogueInput:
    provider: strawberry.ID


@strawberry.input(description="One change to make. The details are of NEW models only.")
class DiscoveryEntryInput:
    kind: DiscoveryKind
    name: str = strawberry.field(description="The provider's own name for it.")
    display_name: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: list[Modality] | None = None
    output_modalities: list[Modality] | None = None
    capabilities: list[Capability] | None = None
    price: PriceInput | None = strawberry.field(
        default=None,
        description="Of NEW models: without one it stays unknown, and AUTO does not choose it."
        " REPRICED ones need it.",
    )

    def chosen(self) -> Chosen:
        """What is left out, or told as empty, takes a new model's defaults."""
        columns = (
            "display_name",
            "context_length",
            "max_output_tokens",
            "input_modalities",
            "output_modalities",
            "capabilities",
        )
        values = {name: value for name in columns if (value := getattr(self, name))}
        price = None if self.price is None else self.price.amounts()
        return Chosen(self.kind, self.name, values, price)


@strawberry.input(description="Changes to make at once, all of them or none.")
class ApplyDiscoveryInput:
    provider: strawberry.ID
    entries: list[DiscoveryEntryInput] = strawberry.field(description="1 to 100.")


@object_type(Policy.ADMIN, description="What the provider serves, against what is held here.")
class DiscoverModelsPayload:
    provider: Provider
    listed_count: int = attribute(description="How many models it lists.")
    changes: list[DiscoveredChange] = attribute(
        description="New ones, then gone, then re-priced, each by name; the first 300.",
        size=MOST_SHOWN,
    )
    change_count: int = attribute(description="How many there are in all.")


@object_type(
    Policy.ADMIN, description="What the packaged catalogue says, against what is held here."
)
class RefreshCataloguePayload:
    provider: Provider
    source: str = attribute(description="The data package and its version.")
    changes: list[DiscoveredChange] = attribute(
        description="New ones, then re-priced, each by name; the first 300. `applyDiscovery` takes"
        " those that are chosen.",
        size=MOST_SHOWN,
    )
    change_count: int = attribute(description="How many there are in all.")


@object_type(Policy.ADMIN, description="The models as they are now, in the order asked.")
class ApplyDiscoveryPayload:
    models: list[Model] = attribute(size=100)


DiscoverModelsResult = Annotated[
    DiscoverModelsPayload | NotFoundError | ConflictError | ProviderError,
    result("DiscoverModelsResult"),
]

ApplyDiscoveryResult = Annotated[
    ApplyDiscoveryPayload | InvalidInputError | NotFoundError | ConflictError,
    result("ApplyDiscoveryResult"),
]

RefreshCatalogueResult = Annotated[
    RefreshCataloguePayload | NotFoundError | ConflictError,
    result("RefreshCatalogueResult"),
]
