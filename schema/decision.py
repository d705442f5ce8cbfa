"""A routing decision, rendered: what was known, how it was weighed, and what would turn it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

import strawberry

from auth.policies import Policy
from domain.decision import KEPT, CandidateRecord, Decision, Reason
from domain.routing.explain import Counterfactual, Explained, Explanation, explain
from domain.routing.flips import Flip, flips
from domain.routing.resolve import DEEPEST
from domain.rule_checks import MOST_ALIASES, MOST_ATTEMPTS, MOST_NAMES, MOST_REGIONS
from domain.rule_diff import Side
from domain.ruleset import ALIASES, alias_field
from schema.candidate import RouteCandidate
from schema.context import Context
from schema.credits import RouteCredits
from schema.decision_facts import DecidingRules, RouteFacts, ScoreAnchors
from schema.enums import Decisive, Lever, RuleScope, Selection, Strategy
from schema.fields import attribute, edge, object_type
from schema.rule_settings import RoutingField, RoutingWeights, RuleOrigin
from schema.scalars import USD, BigInt

MOST_CANDIDATES = 100
_MOST_FLIPS = 16
_MOST_ORIGINS = len(RoutingField) + DEEPEST
_RANKED_AGAIN = 100
"""Cost of finding flip conditions: hundreds of rankings, some ten milliseconds."""


@object_type(Policy.SELF, description="How many candidates had this against them.")
class ExclusionCount:
    code: Reason
    count: int


@object_type(Policy.SELF, description="A change that would let another win, exactly from there on.")
class FlipCondition:
    lever: Lever
    is_rising: bool = attribute(description="Whether it counts upwards from the threshold.")
    threshold: float = attribute(
        description="Basis points of a weight, a factor on the subject's price, or its seconds."
    )
    subject: str | None = attribute(description="Whose price or latency; null for weights.")
    winner: str = attribute(description="Who would win then.")

    @classmethod
    def of(cls, flip: Flip) -> Self:
        return cls(
            lever=flip.lever,
            is_rising=flip.rising,
            threshold=flip.threshold,
            subject=flip.subject,
            winner=flip.winner,
        )


@object_type(
    Policy.SELF,
    description="What it would have cost to take the best: the eligible candidate of the highest"
    " quality among those that the record holds.",
)
class RouteCounterfactual:
    reference: str = attribute(description="`provider/model`")
    expected_cost: USD
    saving: USD = attribute(
        description="How much less the winner is expected to cost; below 0 where it costs more."
    )

    @classmethod
    def of(cls, found: Counterfactual) -> Self:
        return cls(
            reference=found.reference,
            expected_cost=USD(found.cost),
            saving=USD(found.saving),
        )


@object_type(
    Policy.SELF,
    description="Which model was chosen and why, with all that decided.",
)
class RouteDecision:
    decision: strawberry.Private[Decision]
    shown: strawberry.Private[list[Explained]]
    request_id: str = attribute(
        description="The request's, as in the header `x-fairlead-request-id`."
    )
    at: datetime
    snapshot_number: BigInt = attribute(description="Of the configuration it was made on.")
    observed_age: float = attribute(description="Seconds since health and speed were last viewed.")
    rule_versions: list[DecidingRules] = attribute(
        description="Empty: only defaults were in force.", size=len(RuleScope)
    )
    origins: list[RuleOrigin] = attribute(
        description="Where each value of the rules came from, and which aliases were gone through.",
        size=_MOST_ORIGINS,
    )
    strategy: Strategy
    weights: RoutingWeights
    anchors: ScoreAnchors
    eco_below: USD
    precision_from: USD
    priority_tiers: bool
    max_attempts: int
    regions: list[str] | None = attribute(
        description="Of providers that may serve; null is any.", size=MOST_REGIONS
    )
    content_filter_fallback: bool
    facts: RouteFacts
    selection: Selection
    alias_chain: list[str] = attribute(
        description="Aliases followed from the requested name.", size=MOST_ALIASES
    )
    unresolved: list[str] = attribute(
        description="Names in the rules that lead nowhere.", size=MOST_NAMES
    )
    others: int = attribute(description="Candidates that the record does not hold.")
    hidden: int = attribute(description="Candidates that are not yours to see.")
    excluded: list[ExclusionCount] = attribute(
        description="The most frequent first.", size=len(Reason)
    )
    winner: RouteCandidate | None
    runner_up: RouteCandidate | None
    margin: float | None = attribute(
        description="Between the two: dollars under COST, seconds under LATENCY, else of totals."
    )
    decisive_term: Decisive | None = attribute(description="What put the winner first.")
    counterfactual: RouteCounterfactual | None = attribute(
        description="Null without a winner, or where a price is unknown."
    )
    fallback_order: list[RouteCandidate] = attribute(
        description="Whom to try, in this order; the winner first. One more than `maxAttempts`"
        " when it is of a larger context window: it waits for a prompt that proves too long.",
        size=MOST_ATTEMPTS + 1,
    )
    incumbent: str | None = attribute(description="Who served such requests before, if it counts.")
    is_last_resort: bool = attribute(
        description="Whether only open circuits or limits stood against the one tried."
    )
    refusal: str | None = attribute(description="Why nobody may serve, when nobody may.")
    credits: RouteCredits | None = attribute(
        description="What bound its money; null where nothing did."
    )

    @classmethod
    def of(cls, context: Context, decision: Decision) -> Self:
        """What the caller may see of a decision."""
        found = explain(decision)
        everything = context.caller.is_admin
        shown = [each for each in found.candidates if everything or _is_public(each.record)]
        return cls(
            decision=decision,
            shown=shown,
            request_id=str(decision.id),
            at=datetime.fromtimestamp(decision.at, UTC),
            snapshot_number=BigInt(decision.snapshot),
            observed_age=decision.live_age,
            facts=RouteFacts.of(decision.request),
            selection=decision.selection,
            alias_chain=list(decision.chain),
            unresolved=list(decision.unresolved) if everything else [],
            others=decision.others,
            hidden=len(found.candidates) - len(shown),
            excluded=[
                ExclusionCount(code=code, count=count)
                for code, count in sorted(
                    decision.excluded.items(), key=lambda item: (-item[1], item[0])
                )
            ],
            is_last_resort=decision.last_resort,
            refusal=decision.refusal,
            credits=None if decision.credits is None else RouteCredits.of(decision.credits),
            **_rules(decision),
            **_outcome(found),
        )

    @edge(
        description="The eligible by rank, then fallbacks, then the excluded.",
        graphql_type=list[RouteCandidate],
    )
    def candidates(
        self,
        first: Annotated[
            int, strawberry.argument(description=f"At most {MOST_CANDIDATES}.")
        ] = KEPT,
    ) -> list[RouteCandidate]:
        wanted = min(max(first, 0), MOST_CANDIDATES)
        return [RouteCandidate.of(each) for each in self.shown[:wanted]]

    @edge(
        description="What would have to change for another to win; exact to the basis point.",
        graphql_type=list[FlipCondition],
        size=_MOST_FLIPS,
        weight=_RANKED_AGAIN,
    )
    def flip_conditions(self) -> list[FlipCondition]:
        return [FlipCondition.of(each) for each in flips(self.decision)]


def _is_public(record: CandidateRecord) -> bool:
    """Models that are switched off are for administrators to know of."""
    return all(each.reason is not Reason.DISABLED for each in record.exclusions)


def _rules(decision: Decision) -> dict[str, Any]:
    rules = decision.rules
    return {
        "rule_versions": [
            DecidingRules(scope=scope, version=version)
            for scope, version in sorted(rules.versions.items())
        ],
        "origins": _origins(decision),
        "strategy": rules.strategy,
        "weights": RoutingWeights.of(rules.weights),
        "anchors": ScoreAnchors.of(rules.anchors),
        "eco_below": USD(rules.eco_below),
        "precision_from": USD(rules.precision_from),
        "priority_tiers": rules.priority_tiers,
        "max_attempts": rules.max_attempts,
        "regions": None if rules.regions is None else list(rules.regions),
        "content_filter_fallback": rules.content_filter_fallback,
    }


def _origins(decision: Decision) -> list[RuleOrigin]:
    """Fields, then the aliases that were followed; a field that an alias decided is the alias's."""
    rules = decision.rules
    scopes = {field: scope for scope, fields in rules.origins.items() for field in fields}

    def origin(field: str, alias: str | None) -> RuleOrigin:
        scope = scopes.get(field if alias is None else alias_field(alias))
        version = None if scope is None else rules.versions.get(scope)
        return RuleOrigin.of(field.partition(".")[0], Side(None, scope, version), alias)

    return [
        *(origin(one, rules.said.get(one)) for one in RoutingField if one != ALIASES),
        *(origin(ALIASES, name) for name in decision.chain),
    ]


def _outcome(found: Explanation) -> dict[str, Any]:
    """Who won, by what, and who comes next."""
    by_id = {each.record.deployment_id: each.record.reference for each in found.candidates}
    incumbent = found.decision.incumbent
    in_dollars = found.decision.rules.strategy is Strategy.COST and found.margin is not None
    return {
        "winner": None if found.winner is None else RouteCandidate.of(found.winner),
        "runner_up": None if found.runner_up is None else RouteCandidate.of(found.runner_up),
        "margin": (found.margin or 0.0) / 1e9 if in_dollars else found.margin,
        "decisive_term": found.decisive,
        "counterfactual": None
        if found.counterfactual is None
        else RouteCounterfactual.of(found.counterfactual),
        "fallback_order": [RouteCandidate.of(each) for each in found.order],
        "incumbent": None if incumbent is None else by_id.get(incumbent),
    }
