"""What a client may say to change routing rules, and what it hears back."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.rule import aliases_of
from domain.ruleset import Alias, RuleBody, Weights
from schema.enums import PowerLevel, RuleScope, Strategy
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import object_type, result
from schema.rule import RoutingRules
from schema.scalars import USD


@strawberry.input(description="In basis points: 4000 is 40 %. They must sum to 10,000.")
class RoutingWeightsInput:
    cost: int
    latency: int
    quality: int


@strawberry.input(description="A name for a set of models.")
class RoutingAliasInput:
    name: str = strawberry.field(description="Without a slash; not `auto`.")
    targets: list[str] = strawberry.field(
        description="References, bare model names, other aliases, `auto` or `auto:<level>`."
    )
    fallbacks: list[str] = strawberry.field(
        default_factory=list,
        description="References, model names or aliases, tried in this order after the targets.",
    )
    strategy: Strategy | None = strawberry.field(default=None, description="By default the rules'.")


@strawberry.input(description="A whole rule set: what is left out, or null, has its default.")
class SetRoutingRulesInput:
    scope: RuleScope = RuleScope.GLOBAL
    strategy: Strategy | None = None
    weights: RoutingWeightsInput | None = strawberry.field(
        default=None, description="CUSTOM needs them; the other strategies have their own."
    )
    aliases: list[RoutingAliasInput] = strawberry.field(default_factory=list)
    fallbacks: list[str] | None = strawberry.field(
        default=None, description="Models tried, in this order, right after the chosen one."
    )
    default_level: PowerLevel | None = None
    eco_below: USD | None = strawberry.field(
        default=None, description="ECO ends here: blended price per 1M tokens, 3:1."
    )
    precision_from: USD | None = strawberry.field(
        default=None, description="PRECISION begins here: blended price per 1M tokens, 3:1."
    )
    max_attempts: int | None = strawberry.field(default=None, description="1 to 10.")
    priority_tiers: bool | None = strawberry.field(
        default=None, description="Let a provider's priority go before everything else."
    )
    expected_version: int | None = strawberry.field(
        default=None,
        description="Refuse when somebody else has published since; 0 is before the first.",
    )
    note: str | None = strawberry.field(default=None, description="Why; kept with the version.")

    def body(self) -> RuleBody:
        """Raises InvalidInput for an alias given twice."""
        weights, fallbacks = self.weights, self.fallbacks
        return RuleBody(
            strategy=self.strategy,
            weights=None
            if weights is None
            else Weights(weights.cost, weights.latency, weights.quality),
            aliases=aliases_of([(each.name, _alias(each)) for each in self.aliases]),
            fallbacks=None if fallbacks is None else tuple(fallbacks),
            default_level=self.default_level,
            eco_below=self.eco_below,
            precision_from=self.precision_from,
            max_attempts=self.max_attempts,
            priority_tiers=self.priority_tiers,
        )


def _alias(given: RoutingAliasInput) -> Alias:
    return Alias(tuple(given.targets), tuple(given.fallbacks), given.strategy)


@strawberry.input(description="Which version to publish anew.")
class RollbackRoutingRulesInput:
    scope: RuleScope = RuleScope.GLOBAL
    version: int = strawberry.field(description="What it said is published anew.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when somebody else has published since."
    )
    note: str | None = strawberry.field(default=None, description="By default says which version.")


@object_type(Policy.ADMIN, description="The rules as they are now, for the next request on.")
class SetRoutingRulesPayload:
    rules: RoutingRules


@object_type(Policy.ADMIN, description="The rules as they are now, for the next request on.")
class RollbackRoutingRulesPayload:
    rules: RoutingRules


SetRoutingRulesResult = Annotated[
    SetRoutingRulesPayload | InvalidInputError | ConflictError,
    result("SetRoutingRulesResult"),
]

RollbackRoutingRulesResult = Annotated[
    RollbackRoutingRulesPayload | InvalidInputError | NotFoundError | ConflictError,
    result("RollbackRoutingRulesResult"),
]
