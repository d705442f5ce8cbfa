"""A routing decision, rendered: what was known, how it was weighed, and what would turn it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

import strawberry

from auth.policies import Policy
from domain.decision import KEPT, CandidateRecord, Decision, Reason
from domain.routing.explain import Explained, Explanation, explain
from domain.routing.flips import Flip, flips
from domain.rule_checks import MOST_ALIASES, MOST_ATTEMPTS, MOST_NAMES
from domain.ruleset import Anchors
from schema.candidate import RouteCandidate
from schema.context import Context
from schema.credits import RouteCredits
from schema.enums import Decisive, Lever, PowerLevel, RuleScope, Selection, Strategy
from schema.fields import attribute, edge, object_type
from schema.rule_settings import RoutingWeights
from schema.scalars import USD, BigInt

MOST_CANDIDATES = 100
_MOST_FLIPS = 16
_RANKED_AGAIN = 100
"""Cost of finding flip conditions: hundreds of rankings, some ten milliseconds."""


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
    description="Which model was chosen and why, with all that decided.",
)
class RouteDecision:
    decision: strawberry.Private[Decision]
    shown: strawberry.Private[list[Explained]]
    at: datetime
    snapshot_number: BigInt = attribute(description="Of the configuration it was made on.")
    observed_age: float = attribute(description="Seconds since health and speed were last viewed.")
    rule_versions: list[DecidingRules] = attribute(
        description="Empty: only defaults were in force.", size=len(RuleScope)
    )
    strategy: Strategy
    weights: RoutingWeights
    anchors: ScoreAnchors
    eco_below: USD
    precision_from: USD
    priority_tiers: bool
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
    fallback_order: list[RouteCandidate] = attribute(
        description="Whom to try, in this order; the winner first.", size=MOST_ATTEMPTS
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
            at=datetime.fromtimestamp(decision.at, UTC),
            snapshot_number=BigInt(decision.snapshot),
            observed_age=decision.live_age,
            facts=_facts(decision),
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


def _facts(decision: Decision) -> RouteFacts:
    request = decision.request
    return RouteFacts(
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


def _rules(decision: Decision) -> dict[str, Any]:
    rules = decision.rules
    return {
        "rule_versions": [
            DecidingRules(scope=scope, version=version)
            for scope, version in sorted(rules.versions.items())
        ],
        "strategy": rules.strategy,
        "weights": RoutingWeights.of(rules.weights),
        "anchors": ScoreAnchors.of(rules.anchors),
        "eco_below": USD(rules.eco_below),
        "precision_from": USD(rules.precision_from),
        "priority_tiers": rules.priority_tiers,
    }


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
        "fallback_order": [RouteCandidate.of(each) for each in found.order],
        "incumbent": None if incumbent is None else by_id.get(incumbent),
    }
