"""Renders a stored decision: terms, totals, margin, and what decided. Nothing is decided here."""

from enum import StrEnum

import msgspec

from domain.decision import CandidateRecord, Decision
from domain.routing.flips import Contest, contest_of
from domain.routing.order import rank
from domain.routing.record import estimate_of
from domain.routing.score import Estimate, Scale, Scorer
from domain.ruleset import Strategy


class Dimension(StrEnum):
    COST = "COST"
    LATENCY = "LATENCY"
    QUALITY = "QUALITY"


class Decisive(StrEnum):
    """What put the winner before the runner-up.

    COST is what the request costs. PRICE is what that comes to for each token, which is what a
    weighted score goes by: who is expected to answer at greater length may cost more at less.
    """

    COST = "COST"
    PRICE = "PRICE"
    LATENCY = "LATENCY"
    QUALITY = "QUALITY"
    HEALTH = "HEALTH"
    PRIORITY = "PRIORITY"
    IDENTITY = "IDENTITY"
    INCUMBENT = "INCUMBENT"
    SESSION = "SESSION"
    FALLBACK = "FALLBACK"
    ONLY_ONE = "ONLY_ONE"


class Term(msgspec.Struct, frozen=True):
    """`raw` in $ per 1M tokens, seconds or 0..1; `weight` in basis points."""

    dimension: Dimension
    raw: float | None
    score: float
    weight: int
    contribution: float


class Explained(msgspec.Struct, frozen=True):
    """A candidate with what follows from its record. `rank` from 1, None for the excluded.
    `propensity` is how likely it was to be chosen: nothing explores, so it is 1 or 0.

    `seconds` is until the request would be served, `price` $ per 1M tokens of this request.
    """

    record: CandidateRecord
    seconds: float
    price: float | None
    terms: tuple[Term, ...]
    total: float
    rank: int | None
    propensity: float


class Counterfactual(msgspec.Struct, frozen=True):
    """The eligible candidate of the best quality, which one would take without a router.

    `cost` is nano-USD of this request there, `saving` how much less the winner is expected to cost.
    """

    reference: str
    cost: int
    saving: int


class Explanation(msgspec.Struct, frozen=True):
    """`margin` is of the totals; for COST in nano-USD and for LATENCY in seconds."""

    decision: Decision
    candidates: tuple[Explained, ...]
    order: tuple[Explained, ...]
    winner: Explained | None
    runner_up: Explained | None
    margin: float | None
    decisive: Decisive | None
    counterfactual: Counterfactual | None


def explain(decision: Decision) -> Explanation:
    """Pure, and cheap: flip conditions are a question of their own (`flips`)."""
    contest = contest_of(decision)
    candidates = []
    for place, record in enumerate(decision.candidates, start=1):
        position = place if record.eligible else None
        candidates.append(_explained(record, decision, contest.scorer, position))
    by_id = {one.record.deployment_id: one for one in candidates}
    order = tuple(by_id[one] for one in decision.order)
    winner = order[0] if order else None
    runner_up = next((one for one in candidates if one.rank and one is not winner), None)
    return Explanation(
        decision=decision,
        candidates=tuple(candidates),
        order=order,
        winner=winner,
        runner_up=runner_up,
        margin=_margin(winner, runner_up, decision.rules.strategy),
        decisive=_decisive(winner, runner_up, contest) if winner else None,
        counterfactual=_counterfactual(winner.record, contest) if winner else None,
    )


def _counterfactual(winner: CandidateRecord, contest: Contest) -> Counterfactual | None:
    """None where a price is unknown; of two of the same quality the cheaper one."""
    best = min(
        contest.records,
        key=lambda one: (-one.quality, one.expected_cost or 0, one.reference),
        default=None,
    )
    if best is None or best.expected_cost is None or winner.expected_cost is None:
        return None
    saving = best.expected_cost - winner.expected_cost
    return Counterfactual(best.reference, best.expected_cost, saving)


def _explained(
    record: CandidateRecord, decision: Decision, scorer: Scorer, position: int | None
) -> Explained:
    estimate = estimate_of(record, decision.request)
    weights = scorer.scale.weights
    terms = tuple(
        Term(*parts)
        for parts in zip(
            Dimension,
            (estimate.price, estimate.seconds, estimate.quality),
            scorer.scores(estimate),
            (weights.cost, weights.latency, weights.quality),
            scorer.contributions(estimate),
            strict=True,
        )
    )
    total = scorer.total(estimate)
    chosen = bool(decision.order) and decision.order[0] == record.deployment_id
    return Explained(
        record, estimate.seconds, estimate.price, terms, total, position, float(chosen)
    )


def _margin(
    winner: Explained | None, runner_up: Explained | None, strategy: Strategy
) -> float | None:
    if winner is None or runner_up is None:
        return None
    if strategy is Strategy.LATENCY:
        return runner_up.seconds - winner.seconds
    if strategy is Strategy.COST:
        costs = runner_up.record.expected_cost, winner.record.expected_cost
        return None if costs[0] is None or costs[1] is None else float(costs[0] - costs[1])
    return winner.total - runner_up.total


def _decisive(winner: Explained, runner_up: Explained | None, contest: Contest) -> Decisive:
    if runner_up is None:
        return Decisive.ONLY_ONE
    if winner.record.fallback or runner_up.record.fallback:
        return Decisive.FALLBACK
    decision, scorer = contest.decision, contest.scorer
    ranking = rank(contest.estimates, scorer, decision.incumbent, decision.request.session)
    if ranking.by_session:
        return Decisive.SESSION
    if ranking.by_incumbency:
        return Decisive.INCUMBENT
    first, second = ranking.ranked[0], ranking.ranked[1]
    labels = _labels(scorer.scale)
    for label, ours, theirs in zip(labels, scorer.key(first), scorer.key(second), strict=True):
        if ours != theirs:
            return label or _largest_lead(first, second, scorer)
    return Decisive.IDENTITY


def _labels(scale: Scale) -> tuple[Decisive | None, ...]:
    """What each part of a sort key stands for; None is the weighted sum."""
    last = (Decisive.PRIORITY, Decisive.IDENTITY)
    match scale.strategy:
        case Strategy.COST:
            labels: tuple[Decisive | None, ...] = (
                Decisive.HEALTH,
                Decisive.COST,
                Decisive.LATENCY,
                *last,
            )
        case Strategy.LATENCY:
            labels = (Decisive.HEALTH, Decisive.LATENCY, Decisive.COST, Decisive.LATENCY, *last)
        case _:
            labels = (None, Decisive.COST, Decisive.LATENCY, *last)
    return (Decisive.PRIORITY, *labels) if scale.tiers else labels


def _largest_lead(first: Estimate, second: Estimate, scorer: Scorer) -> Decisive:
    ours, theirs = scorer.contributions(first), scorer.contributions(second)
    leads = {
        Decisive.PRICE: ours.cost - theirs.cost,
        Decisive.LATENCY: ours.latency - theirs.latency,
        Decisive.QUALITY: ours.quality - theirs.quality,
    }
    if second.degraded and not first.degraded:
        leads[Decisive.HEALTH] = scorer.total(first) - scorer.total(second) - sum(leads.values())
    return max(leads, key=lambda decisive: leads[decisive])
