"""What a client may say that a rule set decides."""

import strawberry

from domain.rule import aliases_of
from domain.ruleset import Alias, RuleBody, Weights
from schema.enums import PowerLevel, Strategy
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


@strawberry.input(description="A whole rule set: what is left out, or null, is inherited.")
class RoutingRulesInput:
    strategy: Strategy | None = None
    weights: RoutingWeightsInput | None = strawberry.field(
        default=None, description="CUSTOM needs them; the other strategies have their own."
    )
    aliases: list[RoutingAliasInput] = strawberry.field(
        default_factory=list, description="They join those of wider rules. Not of a person."
    )
    fallbacks: list[str] | None = strawberry.field(
        default=None,
        description="Models tried, in this order, right after the chosen one. Not of a person.",
    )
    default_level: PowerLevel | None = strawberry.field(
        default=None, description="Not of a person: theirs is in `updateSettings`."
    )
    eco_below: USD | None = strawberry.field(
        default=None,
        description="ECO ends here: blended price per 1M tokens, 3:1. Of GLOBAL rules only.",
    )
    precision_from: USD | None = strawberry.field(
        default=None,
        description="PRECISION begins here: blended price per 1M tokens, 3:1. Of GLOBAL rules"
        " only.",
    )
    max_attempts: int | None = strawberry.field(
        default=None, description="1 to 10; narrower rules may only lower it."
    )
    priority_tiers: bool | None = strawberry.field(
        default=None,
        description="Let a provider's priority go before everything else. Not of a person.",
    )
    regions: list[str] | None = strawberry.field(
        default=None,
        description="Only providers of these regions serve; narrower rules may only leave some"
        " out. A provider whose region is not known serves nothing then.",
    )
    content_filter_fallback: bool | None = strawberry.field(
        default=None,
        description="Ask the next model when one's content filter refused. Not of a person.",
    )

    def body(self) -> RuleBody:
        """Raises InvalidInput for an alias given twice."""
        weights, fallbacks, regions = self.weights, self.fallbacks, self.regions
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
            regions=None if regions is None else tuple(regions),
            content_filter_fallback=self.content_filter_fallback,
        )


def _alias(given: RoutingAliasInput) -> Alias:
    return Alias(tuple(given.targets), tuple(given.fallbacks), given.strategy)
