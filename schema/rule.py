"""Routing rules: what is in force, what each version said."""

import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

import msgspec
import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import rule as queries
from db.queries.rule import RuleQuery
from domain import ruleset
from domain.configuration import override
from domain.rule import MOST_ALIASES, MOST_NAMES
from domain.ruleset import RuleBody, Ruleset
from schema.context import Context, Info
from schema.enums import PowerLevel, RuleScope, RuleState, Strategy
from schema.fields import attribute, edge, object_type
from schema.listing import Listing
from schema.node import Node, global_id
from schema.pagination import OrderDirection
from schema.scalars import USD
from schema.user import User


@strawberry.enum(description="What a rule set may decide; what it leaves out has its default.")
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


@object_type(Policy.ADMIN, description="A name for a set of models.")
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


@object_type(Policy.ADMIN, description="A rule set with every field decided.")
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

    @classmethod
    def of(cls, rules: Ruleset) -> Self:
        return cls(
            strategy=rules.strategy,
            weights=RoutingWeights.of(rules.weights),
            named=[
                RoutingAlias(
                    name=name,
                    targets=list(alias.targets),
                    fallbacks=list(alias.fallbacks),
                    strategy=alias.strategy,
                )
                for name, alias in sorted(rules.aliases.items())
            ],
            fallbacks=list(rules.fallbacks),
            default_level=rules.default_level,
            eco_below=USD(rules.eco_below),
            precision_from=USD(rules.precision_from),
            max_attempts=rules.max_attempts,
            priority_tiers=rules.priority_tiers,
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


@object_type(Policy.ADMIN, description="One published rule set; it never changes again.")
class RoutingRuleVersion(Node):
    author_key: strawberry.Private[uuid.UUID | None]
    scope: RuleScope
    version: int
    state: RuleState
    note: str | None
    published_at: datetime | None
    settings: RoutingSettings = attribute(description="With what it leaves out as its default.")
    decides: list[RoutingField] = attribute(
        description="Which fields it sets itself.", size=len(RoutingField)
    )

    @classmethod
    def of(cls, row: Row) -> Self:
        body = msgspec.convert(row.body, RuleBody)
        return cls(
            id=global_id("RoutingRuleVersion", row.id),
            author_key=row.author_id,
            scope=RuleScope(row.scope),
            version=row.version,
            state=RuleState(row.state),
            note=row.note,
            published_at=row.published_at,
            settings=RoutingSettings.of(
                override(Ruleset(), body, RuleScope(row.scope), row.version)
            ),
            decides=[field for field in RoutingField if getattr(body, field) not in (None, {})],
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.rules_by_id(session, keys, visible=context.caller.is_admin)
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(description="Who published it.", graphql_type=User | None)
    def author(self, info: Info) -> Awaitable[User | None] | None:
        return None if self.author_key is None else info.context.load(User.fetch, self.author_key)


@object_type(Policy.ADMIN, description="The rules in force.")
class RoutingRules:
    scope: RuleScope
    version: int = attribute(description="0 as long as nothing was published.")
    settings: RoutingSettings = attribute(description="With every default filled in.")
    decides: list[RoutingField] = attribute(
        description="Which fields were set; the others have their default.",
        size=len(RoutingField),
    )
    live: RoutingRuleVersion | None = attribute(description="The version that says so.")

    @classmethod
    def of(cls, scope: RuleScope, row: Row | None) -> Self:
        live = None if row is None else RoutingRuleVersion.of(row)
        return cls(
            scope=scope,
            version=0 if live is None else live.version,
            settings=RoutingSettings.of(Ruleset()) if live is None else live.settings,
            decides=[] if live is None else live.decides,
            live=live,
        )


@strawberry.input(description="Which versions; what is left out does not narrow.")
class RoutingRuleVersionFilter:
    states: list[RuleState] | None = None


@strawberry.enum(description="What versions are ordered by.")
class RoutingRuleVersionOrderField(StrEnum):
    VERSION = "VERSION"


@strawberry.input(description="In which order versions come.")
class RoutingRuleVersionOrder:
    field: RoutingRuleVersionOrderField = RoutingRuleVersionOrderField.VERSION
    direction: OrderDirection = OrderDirection.DESC


def versions_asked(
    scope: RuleScope,
    filter: RoutingRuleVersionFilter | None,
    order: RoutingRuleVersionOrder | None,
) -> RuleQuery:
    """Filter and order as the query's own value; the newest come first."""
    states = None if filter is None or filter.states is None else tuple(filter.states)
    return RuleQuery(scope, states, order is None or order.direction is OrderDirection.DESC)


def _plan(context: Context, asked: RuleQuery) -> tuple[Listed, Ordering]:
    return queries.rules(asked)


VERSIONS = Listing(_plan, RoutingRuleVersion.of)
