"""One candidate of a routing decision, with every figure that counted."""

import uuid
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry

from auth.policies import Policy
from domain import decision as stored
from domain.decision import Reason
from domain.routing.explain import Explained, Term
from schema.context import Info
from schema.enums import Basis, Circuit, Dimension, KeyOwner, OutputBasis, PowerLevel, Warmth
from schema.fields import attribute, edge, object_type
from schema.node import load_node
from schema.scalars import USD

if TYPE_CHECKING:
    from schema.model import Model


@object_type(Policy.SELF, description="One reason why a candidate may not serve.")
class RouteExclusion:
    code: Reason
    needed: int | None = attribute(description="What the request needs, in tokens.")
    available: int | None = attribute(
        description="What there is, in tokens; for what passes by itself, until when (Unix time)."
    )
    detail: str | None

    @classmethod
    def of(cls, exclusion: stored.Exclusion) -> Self:
        return cls(
            code=exclusion.reason,
            needed=exclusion.needed,
            available=exclusion.available,
            detail=exclusion.detail,
        )


@object_type(Policy.SELF, description="One part of a candidate's score.")
class ScoreTerm:
    dimension: Dimension
    raw: float | None = attribute(
        description="Dollars per 1M tokens of this request, seconds, or quality from 0 to 1."
    )
    score: float = attribute(description="1 at the good anchor, 0 at the bad one.")
    weight: int = attribute(description="In basis points.")
    contribution: float = attribute(description="Score times weight.")

    @classmethod
    def of(cls, term: Term) -> Self:
        return cls(
            dimension=term.dimension,
            raw=term.raw,
            score=term.score,
            weight=term.weight,
            contribution=term.contribution,
        )


@object_type(Policy.SELF, description="How fast a candidate was expected to be, in seconds.")
class ExpectedLatency:
    total: float = attribute(
        description="Until the reader of a stream is served, or a whole answer is there."
    )
    first_token: float = attribute(description="Median; leaning on a prior while COLD.")
    first_token_p95: float | None
    tokens_per_second: float
    samples: int
    state: Warmth
    age: int | None = attribute(description="Seconds since it was last observed.")

    @classmethod
    def of(cls, found: Explained) -> Self:
        record = found.record
        return cls(
            total=found.seconds,
            first_token=record.ttft,
            first_token_p95=record.ttft_p95,
            tokens_per_second=record.speed,
            samples=record.samples,
            state=record.warmth,
            age=record.age,
        )


@object_type(Policy.SELF, description="A model that was considered, as it was known then.")
class RouteCandidate:
    model_key: strawberry.Private[uuid.UUID]
    reference: str = attribute(description="`provider/model`")
    eligible: bool
    exclusions: list[RouteExclusion] = attribute(
        description="Why not, all of it; empty for the eligible.", size=len(Reason)
    )
    rank: int | None = attribute(description="From 1; null for the excluded.")
    total: float = attribute(description="The weighted sum of its scores.")
    propensity: float = attribute(
        description="How likely it was to be chosen; nothing explores, so it is 1 or 0."
    )
    terms: list[ScoreTerm] = attribute(size=len(Dimension))
    expected_cost: USD | None = attribute(description="Of this request; null: price unknown.")
    effective_price: float | None = attribute(
        description="Dollars per 1M tokens of this request; null: price unknown."
    )
    expected_output_tokens: int
    output_basis: OutputBasis
    latency: ExpectedLatency
    quality: float
    quality_low: float | None = attribute(
        description="Between this and `qualityHigh` it may well lie; null: nobody knows how sure"
        " the figure is."
    )
    quality_high: float | None
    quality_basis: Basis
    quality_samples: int | None = attribute(
        description="How many known models an ASSUMED figure rests on."
    )
    level: PowerLevel | None
    is_level_pinned: bool
    list_price: USD | None = attribute(description="Blended 3:1, per 1M tokens.")
    priority: int = attribute(description="Its provider's; a lower number is preferred.")
    health: Circuit
    is_fallback: bool = attribute(description="From a list of fallbacks, not a target.")
    key_owner: KeyOwner | None = attribute(
        description="Whose provider key is tried first; null where none is needed or there is none."
    )

    @classmethod
    def of(cls, found: Explained) -> Self:
        record = found.record
        return cls(
            model_key=record.deployment_id,
            reference=record.reference,
            eligible=record.eligible,
            exclusions=[RouteExclusion.of(each) for each in record.exclusions],
            rank=found.rank,
            total=found.total,
            propensity=found.propensity,
            terms=[ScoreTerm.of(each) for each in found.terms],
            expected_cost=None if record.expected_cost is None else USD(record.expected_cost),
            effective_price=found.price,
            expected_output_tokens=record.output,
            output_basis=record.output_basis,
            latency=ExpectedLatency.of(found),
            quality=record.quality,
            quality_low=record.quality_low,
            quality_high=record.quality_high,
            quality_basis=record.basis,
            quality_samples=record.quality_samples,
            level=record.level,
            is_level_pinned=record.pinned,
            list_price=None if record.list_price is None else USD(record.list_price),
            priority=record.priority,
            health=record.health,
            is_fallback=record.fallback,
            key_owner=record.key_owner,
        )

    @edge(
        description="The model as it is now; null when it is gone.",
        graphql_type=Annotated["Model", strawberry.lazy("schema.model")] | None,
    )
    def model(self, info: Info) -> Awaitable[Any]:
        return load_node(info, "Model", self.model_key)
