"""Who serves, and who comes next when it fails."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from domain.routing.filters import Option
from domain.routing.lots import draw
from domain.routing.score import HYSTERESIS, LATENCY_BUCKET, Estimate, Scorer
from domain.ruleset import Strategy


class Ranking(NamedTuple):
    """`ranked` by score alone; the `winner` may be the incumbent or the session's instead."""

    ranked: list[Estimate]
    winner: Estimate
    by_incumbency: bool
    by_session: bool


def rank(
    estimates: Sequence[Estimate],
    scorer: Scorer,
    incumbent: uuid.UUID | None,
    session: str | None,
) -> Ranking:
    """At least one estimate. `session` is the digest of `lots.digest`."""
    ranked = sorted(estimates, key=scorer.key)
    best = _incumbent(ranked, scorer, incumbent) if incumbent else ranked[0]
    winner = _of_session(ranked, best, scorer, session) if session else best
    return Ranking(ranked, winner, best is not ranked[0], winner is not best)


def _incumbent(ranked: list[Estimate], scorer: Scorer, incumbent: uuid.UUID | None) -> Estimate:
    """It stays unless another is clearly better; a clear rule of cost or latency has none."""
    top = ranked[0]
    if scorer.scale.is_weighted:
        for estimate in ranked:
            if estimate.id == incumbent and _close(estimate, top, scorer):
                return estimate
    return top


def _of_session(ranked: list[Estimate], best: Estimate, scorer: Scorer, session: str) -> Estimate:
    """A conversation stays where its prompt is cached: one of equals, by rendezvous."""
    peers = [
        estimate
        for estimate in ranked
        if estimate is best or (estimate.model == best.model and _close(estimate, best, scorer))
    ]
    if len(peers) == 1:
        return best
    seed = session.encode()
    return max(peers, key=lambda estimate: draw(seed, estimate.id))


def _close(estimate: Estimate, best: Estimate, scorer: Scorer) -> bool:
    if estimate.degraded > best.degraded or (
        scorer.scale.tiers and estimate.priority != best.priority
    ):
        return False
    match scorer.scale.strategy:
        case Strategy.COST:
            return estimate.cost == best.cost
        case Strategy.LATENCY:
            return estimate.seconds <= best.seconds * (1.0 + LATENCY_BUCKET)
        case _:
            return scorer.total(best) - scorer.total(estimate) <= HYSTERESIS


def diverse(winner: Option, ranked: Sequence[Option]) -> list[Option]:
    """The winner, the best of another provider, then the rest by rank."""
    provider = winner.entry.deployment.provider
    rest = [option for option in ranked if option is not winner]
    for place, option in enumerate(rest):
        if option.entry.deployment.provider.id != provider.id:
            rest.insert(0, rest.pop(place))
            break
    return [winner, *rest]
