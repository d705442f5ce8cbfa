"""What subscribers to the health of providers hear."""

import uuid
from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry

from auth.policies import Policy
from domain.observed import HealthState
from domain.observed import ModelHealth as ObservedModel
from domain.observed import ProviderHealth as Observed
from schema.context import Info
from schema.fields import attribute, edge, object_type
from schema.health import Health
from schema.node import load_node

if TYPE_CHECKING:
    from schema.model import Model
    from schema.provider import Provider

MOST_MODELS = 100


@object_type(Policy.SIGNED_IN, description="One model at one provider.")
class ModelHealth:
    key: strawberry.Private[uuid.UUID]
    health: Health

    @classmethod
    def of(cls, found: ObservedModel) -> Self:
        return cls(key=found.model_id, health=Health.of_models([found]))

    @edge(
        description="Null when it is gone, or not yours to see.",
        graphql_type=Annotated["Model", strawberry.lazy("schema.model")] | None,
    )
    def model(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Model", self.key)


@object_type(
    Policy.SIGNED_IN, description="A provider's health, as all processes observed it together."
)
class ProviderHealth:
    key: strawberry.Private[uuid.UUID]
    state: HealthState
    since: datetime = attribute(description="When it came into this state.")
    disabled_reason: str | None = attribute(
        description="Why it is not used at all; null when it is."
    )
    health: Health = attribute(description="Of its models together.")
    models: list[ModelHealth] = attribute(
        description="Those that were observed, at most 100, the worst first.", size=MOST_MODELS
    )

    @classmethod
    def of(cls, found: Observed) -> Self:
        return cls(
            key=found.provider_id,
            state=found.state,
            since=found.since,
            disabled_reason=found.disabled_reason,
            health=Health.of_provider(found),
            models=[ModelHealth.of(each) for each in found.models[:MOST_MODELS]],
        )

    @edge(
        description="Null when it is gone.",
        graphql_type=Annotated["Provider", strawberry.lazy("schema.provider")] | None,
    )
    def provider(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Provider", self.key)
