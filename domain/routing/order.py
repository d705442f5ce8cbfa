"""Who serves, and who comes next when it fails."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from domain.routing.filters import Option
from domain.routing.lots import draw
from domain.routing.score import HYSTERESIS, LATENCY_BUCKET, Estimate, Scale, key, total
from domain.ruleset import Strategy


class Ranking(NamedTuple):
    """`ranked` by score alone; the `winner` may be the incumbent or the session's instead."""

    ranked: list[Estimate]
    winner: Estimate
    by_incumbency: bool
    by_session: bool


def rank(
    estimates: Sequence[Estimate],
    scale: Scale,
    incumbent: uuid.UUID | None,
    session: str | None,
) -> Ranking:
    """At least one estimate. `session` is the digest of `lots.digest`."""
    ranked = sorted(estimates, key=lambda estimate: key(estimate, scale))
    best = _incumbent(ranked, scale, incumbent) if incumbent else ranked[0]
    winner = _of_session(ranked, best, scale, session) if session else best
    return Ranking(ranked, winner, best is not ranked[0], winner is not best)


def _incumbent(ranked: list[Estimate], scale: Scale, incumbent: uuid.UUID | None) -> Estimate:
    """It stays unless another is clearly better; a clear rule of cost or latency has none."""
    top = ranked[0]
    if scale.is_weighted:
        for estimate in ranked:
            if estimate.id == incumbent and _close(estimate, top, scale):
                return estimate
    return top


def _of_session(ranked: list[Estimate], best: Estimate, scale: Scale, session: str) -> Estimate:
    """A conversation stays where its prompt is cached: one of equals, by rendezvous."""
    peers = [
        estimate
        for estimate in ranked
        if estimate is best or (estimate.model == best.model and _close(estimate, best, scale))
    ]
    if len(peers) == 1:
        return best
    seed = session.encode()
    return max(peers, key=lambda estimate: draw(seed, estimate.id))


def _close(estimate: Estimate, best: Estimate, scale: Scale) -> bool:
    if estimate.degraded > best.degraded or (scale.tiers and estimate.priority != best.priority):
        return False
    match scale.strategy:
        case Strategy.COST:
            return estimate.cost == best.cost
        case Strategy.LATENCY:
            return estimate.seconds <= best.seconds * (1.0 + LATENCY_BUCKET)
        case _:
            return total(best, scale) - total(estimate, scale) <= HYSTERESIS


def diverse(winner: Option, ranked: Sequence[Option]) -> list[Option]:
    """The winner, the best of another provider, then the rest by rank."""
    provider = winner.deployment.provider
    rest = [option for option in ranked if option is not winner]
    for place, option in enumerate(rest):
        if option.deployment.provider.id != provider.id:
            rest.insert(0, rest.pop(place))
            break
    return [winner, *rest]
