"""What would have to change for another candidate to win, found by ranking again.

Nothing here approximates: each threshold is where the ranking itself turns, to the basis point of
a weight or a billionth of a price, because buckets, tiers, levels and incumbents all take part.
"""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from domain.decision import CandidateRecord, Decision
from domain.routing import expect
from domain.routing.order import rank
from domain.routing.record import estimate_of
from domain.routing.score import WHOLE, Estimate, Scale, Scorer
from domain.ruleset import PowerLevel, Strategy, Weights

RIVALS = 3
"""The best others whose own price or speed is looked at."""
CLEAR = 0.01
"""How far past a weight's threshold, relative and at least a basis point, the flip is certain."""
_WIDEST = math.log(1_000.0)
_PRECISION = 1e-9
_NEARBY = 300


class Lever(StrEnum):
    """What changes: a weight of the rule, or a candidate's price or latency."""

    COST_WEIGHT = "COST_WEIGHT"
    LATENCY_WEIGHT = "LATENCY_WEIGHT"
    QUALITY_WEIGHT = "QUALITY_WEIGHT"
    PRICE = "PRICE"
    LATENCY = "LATENCY"


class Flip(msgspec.Struct, frozen=True):
    """`winner` would win from `threshold` on: upwards when `rising`, else downwards.

    `threshold` is basis points for a weight (the other two keep their ratio), a factor on every
    price of `subject` for PRICE, seconds of `subject` for LATENCY. Both are references.
    """

    lever: Lever
    rising: bool
    threshold: float
    winner: str
    subject: str | None = None


class Contest(msgspec.Struct):
    """A decision's targets, ready to be ranked again under other circumstances."""

    decision: Decision
    records: list[CandidateRecord]
    estimates: list[Estimate]
    scorer: Scorer

    def winner(self, scorer: Scorer | None = None, changed: Estimate | None = None) -> str:
        """A reference. `changed` takes the place of the estimate with its id."""
        estimates: Sequence[Estimate] = self.estimates
        if changed is not None:
            estimates = [changed if one.id == changed.id else one for one in estimates]
        return self._named(estimates, scorer or self.scorer)

    def winner_without(self, record: CandidateRecord) -> str:
        rest = [one for one in self.estimates if one.id != record.deployment_id]
        return self._named(rest, self.scorer)

    def _named(self, estimates: Sequence[Estimate], scorer: Scorer) -> str:
        decision = self.decision
        best = rank(estimates, scorer, decision.incumbent, decision.request.session).winner
        return next(one.reference for one in self.records if one.deployment_id == best.id)


def contest_of(decision: Decision) -> Contest:
    rules = decision.rules
    records = [one for one in decision.candidates if one.eligible and not one.fallback]
    return Contest(
        decision,
        records,
        [estimate_of(one, decision.request) for one in records],
        Scorer(Scale(rules.strategy, rules.weights, rules.anchors, rules.priority_tiers)),
    )


def flips(decision: Decision) -> tuple[Flip, ...]:
    """Among the candidates the decision holds; empty when there was nobody else."""
    contest = contest_of(decision)
    if len(contest.records) < 2:
        return ()
    winner = decision.winner
    if winner is None or winner.fallback:
        return ()
    found: list[Flip] = []
    if contest.scorer.scale.is_weighted:
        found += _weight_flips(contest, winner.reference)
    rivals = [one for one in contest.records if one is not winner][:RIVALS]
    for record, rising in ((winner, True), *((rival, False) for rival in rivals)):
        found += _price_flip(contest, record, winner.reference, rising)
        found += _latency_flip(contest, record, winner.reference, rising)
    return tuple(found)


def shifted(weights: Weights, lever: Lever, value: int) -> Weights:
    """One weight set to `value`, the others in their ratio; the sum stays whole."""
    cost, latency, quality = weights.cost, weights.latency, weights.quality
    match lever:
        case Lever.COST_WEIGHT:
            first = _share(latency, quality, value)
            return Weights(value, first, WHOLE - value - first)
        case Lever.LATENCY_WEIGHT:
            first = _share(cost, quality, value)
            return Weights(first, value, WHOLE - value - first)
        case _:
            first = _share(cost, latency, value)
            return Weights(first, WHOLE - value - first, value)


def _share(first: int, second: int, value: int) -> int:
    if first + second == 0:
        return (WHOLE - value) // 2
    return (WHOLE - value) * first // (first + second)


def _weight_flips(contest: Contest, winner: str) -> list[Flip]:
    known = contest.scorer.scale
    found = []
    for lever, now in (
        (Lever.COST_WEIGHT, known.weights.cost),
        (Lever.LATENCY_WEIGHT, known.weights.latency),
        (Lever.QUALITY_WEIGHT, known.weights.quality),
    ):

        def wins(value: int, lever: Lever = lever) -> str:
            scale = msgspec.structs.replace(
                known, strategy=Strategy.CUSTOM, weights=shifted(known.weights, lever, value)
            )
            return contest.winner(Scorer(scale))

        for end in (0, WHOLE):
            turn = _turning_weight(wins, winner, now, end)
            if turn is not None:
                found.append(Flip(lever, end == WHOLE, *turn))
    return found


def _turning_weight(
    wins: Callable[[int], str], winner: str, now: int, end: int
) -> tuple[int, str] | None:
    """The weight on the way to `end` at which the winner changes, and who wins past it.

    A hundredth away on either side the change is clear: at the very edge buckets may flicker.
    """
    if now == end or wins(end) == winner:
        return None
    near, far = now, end
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if wins(middle) == winner:
            near = middle
        else:
            far = middle
    lowest, highest = min(now, end), max(now, end)
    step = 1 if end > now else -1
    for distance in range(_NEARBY):
        for value in dict.fromkeys((far - step * distance, far + step * distance)):
            margin = step * max(round(value * CLEAR), 1)
            short = min(max(value - margin, lowest), highest)
            past = min(max(value + margin, lowest), highest)
            if (
                value != now
                and lowest <= value <= highest
                and winner == wins(short)
                and winner not in (wins(value), wins(past))
            ):
                return value, wins(past)
    return None


def _price_flip(contest: Contest, record: CandidateRecord, winner: str, rising: bool) -> list[Flip]:
    estimate = next(one for one in contest.estimates if one.id == record.deployment_id)
    if not estimate.cost or record.list_price is None:
        return []
    cost, list_price = estimate.cost, record.list_price
    tokens = contest.decision.request.input_tokens + record.output
    lowest, highest = _level_bounds(contest.decision, record)

    def wins(logarithm: float) -> str:
        factor = math.exp(logarithm)
        if list_price * factor >= highest and _rises_alone(contest.decision, list_price * factor):
            return record.reference
        if not lowest <= list_price * factor < highest:
            return contest.winner_without(record)
        dearer = cost * factor
        return contest.winner(
            changed=msgspec.structs.replace(
                estimate,
                cost=round(dearer),
                price=expect.effective_price(dearer, tokens),
            )
        )

    end = _WIDEST if rising else -_WIDEST
    if not rising and lowest > 0:
        end = max(end, math.log((lowest + 1) / list_price))
    found = _turning_point(wins, winner, end)
    if found is None:
        return []
    at, new_winner = found
    return [Flip(Lever.PRICE, rising, math.exp(at), new_winner, record.reference)]


def _level_bounds(decision: Decision, record: CandidateRecord) -> tuple[float, float]:
    """Between which blended prices it stays in the level that serves (nano-USD per 1M)."""
    rules = decision.rules
    if decision.request.served_level is None or record.exempt or record.pinned:
        return 0.0, math.inf
    match decision.request.served_level:
        case PowerLevel.ECO:
            return 0.0, rules.eco_below
        case PowerLevel.BALANCED:
            return rules.eco_below, rules.precision_from
        case PowerLevel.PRECISION:
            return rules.precision_from, math.inf


def _rises_alone(decision: Decision, list_price: float) -> bool:
    """Whether at this price it is the one in a level that was asked for and had nobody."""
    asked, served = decision.request.level, decision.request.served_level
    if asked is None or asked is served:
        return False
    return asked is PowerLevel.PRECISION or list_price < decision.rules.precision_from


def _latency_flip(
    contest: Contest, record: CandidateRecord, winner: str, rising: bool
) -> list[Flip]:
    estimate = next(one for one in contest.estimates if one.id == record.deployment_id)

    def wins(logarithm: float) -> str:
        seconds = estimate.seconds * math.exp(logarithm)
        return contest.winner(changed=msgspec.structs.replace(estimate, seconds=seconds))

    found = _turning_point(wins, winner, _WIDEST if rising else -_WIDEST)
    if found is None:
        return []
    at, new_winner = found
    seconds = estimate.seconds * math.exp(at)
    return [Flip(Lever.LATENCY, rising, seconds, new_winner, record.reference)]


def _turning_point(
    wins: Callable[[float], str], winner: str, end: float
) -> tuple[float, str] | None:
    """The logarithm of the factor at which another wins, and who. One candidate only gets worse
    or better on the way, so there is one such point; one that does not last is not told, such as
    a price that would leave its level right after."""
    if wins(end) == winner:
        return None
    near, far = 0.0, end
    while abs(far - near) > _PRECISION:
        middle = (near + far) / 2.0
        if wins(middle) == winner:
            near = middle
        else:
            far = middle
    past = far + math.log1p(math.copysign(CLEAR, end))
    return (far, wins(far)) if wins(far) == wins(past) else None
