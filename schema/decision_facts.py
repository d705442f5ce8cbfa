"""What a routing decision was made on: the request, the rules' versions, the scales."""

from typing import Self

from auth.policies import Policy
from domain.decision import Request
from domain.ruleset import Anchors
from schema.enums import PowerLevel, RuleScope
from schema.fields import attribute, object_type


@object_type(Policy.SELF, description="The published version of one scope that took part.")
class DecidingRules:
    scope: RuleScope
    version: int


@object_type(
    Policy.SELF,
    description="The fixed ends of the three scales: dollars per 1M tokens, seconds, quality.",
)
class ScoreAnchors:
    version: int
    price_best: float
    price_worst: float
    latency_best: float
    latency_worst: float
    quality_worst: float
    quality_best: float

    @classmethod
    def of(cls, anchors: Anchors) -> Self:
        return cls(**{name: getattr(anchors, name) for name in anchors.__struct_fields__})


@object_type(Policy.SELF, description="What was known of the request; never its text.")
class RouteFacts:
    model: str
    input_tokens: int
    is_estimated: bool = attribute(description="Whether the input tokens are an estimate.")
    max_tokens: int | None
    stream: bool
    level: PowerLevel | None = attribute(description="Asked for, or the caller's own.")
    served_level: PowerLevel | None = attribute(
        description="What it came to: a cheaper one where the first had nobody."
    )
    task: str | None
    session: str | None = attribute(description="A digest of what keeps a conversation together.")

    @classmethod
    def of(cls, request: Request) -> Self:
        return cls(
            model=request.model,
            input_tokens=request.input_tokens,
            is_estimated=request.input_estimated,
            max_tokens=request.max_tokens,
            stream=request.stream,
            level=request.level,
            served_level=request.served_level,
            task=request.task,
            session=request.session,
        )
