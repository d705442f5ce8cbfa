"""A rule set with every field decided, and where each value comes from."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from domain import ruleset
from domain.principal import MemberRole, Principal
from domain.rule_aliases import is_auto
from domain.rule_checks import MOST_ALIASES, MOST_NAMES, MOST_REGIONS
from domain.rule_diff import Side, side
from domain.ruleset import ALIASES, RuleBody, Ruleset, alias_field
from domain.snapshot import Snapshot
from schema.context import Context
from schema.enums import PowerLevel, RuleScope, Strategy
from schema.fields import attribute, edge, object_type
from schema.scalars import USD


@strawberry.enum(description="What a rule set may decide; what it leaves out is inherited.")
class RoutingField(StrEnum):
    STRATEGY = "strategy"
    WEIGHTS = "weights"
    ALIASES = "aliases"
    FALLBACKS = "fallbacks"
    DEFAULT_LEVEL = "default_level"
    ECO_BELOW = "eco_below"
    PRECISION_FROM = "precision_from"
    MAX_ATTEMPTS = "max_attempts"
    PRIORITY_TIERS = "priority_tiers"
    REGIONS = "regions"
    CONTENT_FILTER_FALLBACK = "content_filter_fallback"


@object_type(
    Policy.SIGNED_IN,
    description="How much each score counts, in basis points: 4000 is 40 %. They sum to 10,000."
    " Basis points, because decisions record them so: exact, and finer than whole percents.",
)
class RoutingWeights:
    cost: int
    latency: int
    quality: int

    @classmethod
    def of(cls, weights: ruleset.Weights) -> Self:
        return cls(cost=weights.cost, latency=weights.latency, quality=weights.quality)


@object_type(Policy.SIGNED_IN, description="Where the value of a field comes from.")
class RuleOrigin:
    field: RoutingField
    alias: str | None = attribute(description="Which alias, when it is about one.")
    scope: RuleScope | None = attribute(description="Whose rules decided it; null: the default.")
    version: int | None = attribute(description="Of those rules; null for a default and a draft.")

    @classmethod
    def of(cls, field: str, decided: Side, alias: str | None = None) -> Self:
        return cls(
            field=RoutingField(field),
            alias=alias,
            scope=decided.scope,
            version=decided.version or None,
        )


def origins_of(rules: Ruleset) -> list[RuleOrigin]:
    """Of every field but aliases, which say it themselves."""
    return [
        RuleOrigin.of(field, side(rules, field, None))
        for field in RuleBody.__struct_fields__
        if field != ALIASES
    ]


@object_type(Policy.SIGNED_IN, description="A name for a set of models.")
class RoutingAlias:
    name: str
    targets: list[str] = attribute(
        description="References, bare model names, other aliases, or `auto`.", size=MOST_NAMES
    )
    fallbacks: list[str] = attribute(
        description="Tried in this order after the targets, in place of the rule set's own.",
        size=MOST_NAMES,
    )
    strategy: Strategy | None = attribute(description="Null: the rule set's.")
    scope: RuleScope | None = attribute(description="Whose rules define it.")
    version: int | None = attribute(description="Of those rules; null in a draft.")


@object_type(Policy.SIGNED_IN, description="A rule set with every field decided.")
class RoutingSettings:
    named: strawberry.Private[list[RoutingAlias]]
    strategy: Strategy
    weights: RoutingWeights = attribute(description="What CUSTOM uses.")
    fallbacks: list[str] = attribute(
        description="References tried, in order, right after the chosen model.", size=MOST_NAMES
    )
    default_level: PowerLevel = attribute(
        description="Of people who chose none, in requests that name none."
    )
    eco_below: USD = attribute(description="ECO ends here: blended price per 1M tokens, 3:1.")
    precision_from: USD = attribute(
        description="PRECISION begins here: blended price per 1M tokens, 3:1."
    )
    max_attempts: int = attribute(description="Upstream calls of one request, at most.")
    priority_tiers: bool = attribute(
        description="Whether a provider's priority goes before everything else."
    )
    regions: list[str] | None = attribute(
        description="Of providers that may serve; null is any.", size=MOST_REGIONS
    )
    content_filter_fallback: bool = attribute(
        description="Whether another model is asked when one's content filter refused."
    )

    @classmethod
    def of(cls, rules: Ruleset, sees: "Sees | None" = None) -> Self:
        """`sees` leaves out names that are not the caller's to know; None shows all."""
        sees = sees or _everything
        return cls(
            strategy=rules.strategy,
            weights=RoutingWeights.of(rules.weights),
            named=[
                _alias(name, alias, rules, sees)
                for name, alias in sorted(rules.aliases.items())
                if sees(alias_field(name), name)
            ],
            fallbacks=[name for name in rules.fallbacks if sees("fallbacks", name)],
            default_level=rules.default_level,
            eco_below=USD(rules.eco_below),
            precision_from=USD(rules.precision_from),
            max_attempts=rules.max_attempts,
            priority_tiers=rules.priority_tiers,
            regions=None if rules.regions is None else list(rules.regions),
            content_filter_fallback=rules.content_filter_fallback,
        )

    @edge(
        description="By name. With all their names they exceed one operation's cost: page them.",
        graphql_type=list[RoutingAlias],
    )
    def aliases(
        self,
        first: Annotated[
            int, strawberry.argument(description=f"At most {MOST_ALIASES}.")
        ] = MOST_ALIASES,
        after: Annotated[
            str | None, strawberry.argument(description="Only those whose name comes after it.")
        ] = None,
    ) -> list[RoutingAlias]:
        wanted = min(max(first, 0), MOST_ALIASES)
        return [each for each in self.named if after is None or each.name > after][:wanted]


Sees = Callable[[str, str], bool]
"""Whether the caller may see a name in a field of a rule set, `aliases.<name>` for an alias."""


def _everything(field: str, name: str) -> bool:
    return True


def _alias(name: str, alias: ruleset.Alias, rules: Ruleset, sees: Sees) -> RoutingAlias:
    field = alias_field(name)
    decided = side(rules, field, alias)
    return RoutingAlias(
        name=name,
        targets=_shown(alias.targets, field, sees),
        fallbacks=_shown(alias.fallbacks, field, sees),
        strategy=alias.strategy,
        scope=decided.scope,
        version=decided.version or None,
    )


def _shown(names: Iterable[str], field: str, sees: Sees) -> list[str]:
    return [name for name in names if sees(field, name)]


def sees(context: Context, rules: Ruleset) -> Sees:
    """What the caller may see of rules that others decided: aliases that their key may use, and
    models that are switched on. What they govern themselves they see as it was written."""
    caller, snapshot = context.caller, context.configuration.snapshot

    def seen(field: str, name: str) -> bool:
        if _governs(caller, rules.origins.get(field)):
            return True
        if name in rules.aliases:
            return caller.allowed_models is None or name in caller.allowed_models
        return is_auto(name) or _is_served(snapshot, name)

    return _everything if caller.is_admin else seen


def _governs(caller: Principal, scope: RuleScope | None) -> bool:
    if scope is RuleScope.ORGANIZATION:
        return caller.organization_role is MemberRole.ADMIN
    return scope is RuleScope.USER


def _is_served(snapshot: Snapshot, name: str) -> bool:
    one = snapshot.by_reference.get(name)
    found = snapshot.by_name.get(name, ()) if one is None else (one,)
    return any(each.enabled and each.provider.enabled for each in found)
