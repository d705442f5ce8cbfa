"""Models as providers serve them, with their dated prices."""

import time
import uuid
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import model as queries
from db.queries.model import ModelQuery, PriceQuery
from domain.pricing import level_of
from schema.context import Context, Info
from schema.enums import Capability, Modality, PowerLevel
from schema.fields import attribute, edge, object_type
from schema.health import Health, healths_of_models
from schema.listing import Listing, Slice
from schema.node import Node, global_id, key_or_nobody, load_node
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    OrderDirection,
    PageArguments,
)
from schema.price import PRICES, Price, current_prices
from schema.scalars import USD

if TYPE_CHECKING:
    from schema.provider import Provider


def level(context: Context, model_id: uuid.UUID) -> PowerLevel | None:
    """The level this model belongs to in the running configuration."""
    snapshot = context.configuration.snapshot
    deployment = snapshot.deployments.get(model_id)
    if deployment is None:
        return None
    return level_of(deployment, deployment.price_at(time.time()), snapshot.ruleset)


@object_type(Policy.SIGNED_IN, description="A model as one provider serves it.")
class Model(Node):
    key: strawberry.Private[uuid.UUID]
    provider_key: strawberry.Private[uuid.UUID]
    name: str = attribute(description="The provider's own name for it.")
    reference: str = attribute(description="`provider/model`, as a request names it.")
    display_name: str
    canonical_name: str = attribute(
        description="Joins the same model at several providers: a bare name means any of them."
    )
    context_length: int | None = attribute(description="In tokens; null when unknown.")
    max_output_tokens: int | None
    input_modalities: list[Modality] = attribute(size=len(Modality))
    output_modalities: list[Modality] = attribute(size=len(Modality))
    capabilities: list[Capability] = attribute(size=len(Capability))
    level_pin: PowerLevel | None = attribute(
        description="The power level an administrator gave it, whatever its price."
    )
    quality: float | None = attribute(description="0 to 1; null when unknown.")
    quality_source: str | None
    enabled: bool
    version: int = attribute(description="Counts updates; see `expectedVersion`.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Model", row.id),
            key=row.id,
            provider_key=row.provider_id,
            name=row.name,
            reference=row.reference,
            display_name=row.display_name,
            canonical_name=row.canonical_name,
            context_length=row.context_length,
            max_output_tokens=row.max_output_tokens,
            input_modalities=[Modality(each) for each in row.input_modalities],
            output_modalities=[Modality(each) for each in row.output_modalities],
            capabilities=[Capability(each) for each in row.capabilities],
            level_pin=None if row.level_pin is None else PowerLevel(row.level_pin),
            quality=row.quality,
            quality_source=row.quality_source,
            enabled=row.enabled,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        only_served = not context.caller.is_admin
        async with context.read() as session:
            found = await queries.models_by_id(session, keys, only_served=only_served)
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(
        description="Who serves it.",
        graphql_type=Annotated["Provider", strawberry.lazy("schema.provider")],
    )
    def provider(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Provider", self.provider_key)

    @edge(
        description="The price of this moment; null when it is unknown, which is not zero.",
        graphql_type=Price | None,
    )
    def current_price(self, info: Info) -> Awaitable[Price | None]:
        return info.context.load(current_prices, self.key)

    @edge(
        description="Every price it ever had or will have, newest first.",
        graphql_type=Connection[Price],
        size=20,
    )
    def prices(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[Price]]:
        arguments = PageArguments(first, after, last, before)
        return PRICES.load(info.context, Slice(self.key, PriceQuery(), arguments))

    @edge(
        description="Its pin, else the level of its price; null for an unpinned, unpriced model.",
        graphql_type=PowerLevel | None,
    )
    def power_level(self, info: Info) -> PowerLevel | None:
        return level(info.context, self.key)

    @edge(
        description="Its performance, as all processes observed it together.", graphql_type=Health
    )
    def health(self, info: Info) -> Awaitable[Health]:
        return info.context.load(healths_of_models, self.key)


@strawberry.input(description="Which models; what is left out does not narrow.")
class ModelFilter:
    provider: strawberry.ID | None = None
    search: str | None = strawberry.field(
        default=None, description="Part of the reference, display name or canonical name."
    )
    level: PowerLevel | None = None
    capabilities: list[Capability] | None = strawberry.field(
        default=None, description="Those that have all of these."
    )
    enabled: bool | None = None
    canonical_name: str | None = strawberry.field(
        default=None, description="Every deployment of one model, at whichever provider."
    )
    input_modalities: list[Modality] | None = strawberry.field(
        default=None, description="Those that take all of these."
    )
    output_modalities: list[Modality] | None = strawberry.field(
        default=None, description="Those that give all of these."
    )
    min_context_length: int | None = strawberry.field(
        default=None, description="In tokens; leaves out those of unknown length."
    )
    priced: bool | None = strawberry.field(
        default=None, description="Whether a price is known now; AUTO chooses no other."
    )
    price_from: USD | None = strawberry.field(
        default=None,
        description="Blended price per 1M tokens (3 input : 1 output), included; leaves out those"
        " without one.",
    )
    price_to: USD | None = strawberry.field(default=None, description="As `priceFrom`.")


@strawberry.enum(
    description="What models are ordered by. PRICE: of now, blended 3 input : 1 output; unknown"
    " comes before the cheapest."
)
class ModelOrderField(StrEnum):
    REFERENCE = "REFERENCE"
    NAME = "NAME"
    CONTEXT_LENGTH = "CONTEXT_LENGTH"
    QUALITY = "QUALITY"
    PRICE = "PRICE"
    CREATED = "CREATED"


@strawberry.input(description="In which order models come.")
class ModelOrder:
    field: ModelOrderField
    direction: OrderDirection = OrderDirection.ASC


@dataclass(frozen=True, slots=True)
class ModelsAsked:
    """A list of models: what the database can tell, and the level, which the rules tell."""

    query: ModelQuery
    level: PowerLevel | None = None

    @classmethod
    def of(cls, filter: ModelFilter | None, order: ModelOrder | None) -> Self:
        asked = cls(ModelQuery())
        if order is not None:
            falling = order.direction is OrderDirection.DESC
            asked = cls(replace(asked.query, order=order.field, descending=falling))
        if filter is None:
            return asked
        query = replace(
            asked.query,
            provider=None
            if filter.provider is None
            else key_or_nobody("Provider", filter.provider),
            search=filter.search,
            capabilities=_tuple(filter.capabilities),
            enabled=filter.enabled,
            canonical_name=filter.canonical_name,
            input_modalities=_tuple(filter.input_modalities),
            output_modalities=_tuple(filter.output_modalities),
            least_context=filter.min_context_length,
            priced=filter.priced,
            price_from=filter.price_from,
            price_to=filter.price_to,
        )
        return cls(query, filter.level)


def _tuple(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _plan_models(context: Context, asked: ModelsAsked) -> tuple[Listed, Ordering]:
    query = replace(asked.query, only_served=not context.caller.is_admin)
    if asked.level is not None:
        everything = context.configuration.snapshot.deployments
        ids = frozenset(id for id in everything if level(context, id) is asked.level)
        query = replace(query, ids=ids)
    return queries.models(query)


MODELS = Listing(_plan_models, Model.of)
