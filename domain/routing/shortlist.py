"""Of many that may serve, those that could be tried or shown; only they are looked at closely."""

from domain.decision import Decision
from domain.routing.filters import Examiner
from domain.routing.index import Entry
from domain.routing.members import Members
from domain.routing.score import Lead, Scorer


def shortlist(
    members: Members, examiner: Examiner, scorer: Scorer, decision: Decision, count: int
) -> None:
    """Turns into options all of the `able` that can be among the first `count` or win.

    Ranking these alone gives what ranking everyone would: with them are the incumbent, the best
    of a second provider, and for a session the other deployments of every model at the top.
    """
    chosen = able = members.able
    if len(able) > count:
        first = _first(able, scorer.leads(examiner.contest(able)), count)
        chosen = [able[place] for place in first]
        ids = {entry.deployment.id for entry in chosen}
        chosen += (one for one in _bound(members, decision, chosen) if one.deployment.id not in ids)
    for entry in chosen:
        members.single(entry)


def _first(able: list[Entry], leads: list[Lead], count: int) -> list[int]:
    """Places in `able`: the first `count` by lead with all that tie with the last, and the first
    of another provider."""
    last = sorted(leads)[count - 1]
    first = [place for place, lead in enumerate(leads) if lead <= last]
    providers = {able[place].deployment.provider.slug for place in first}
    if len(providers) == 1:
        others = [
            place
            for place, entry in enumerate(able)
            if entry.deployment.provider.slug not in providers
        ]
        second = min((leads[place] for place in others), default=None)
        first += (place for place in others if leads[place] == second)
    return first


def _bound(members: Members, decision: Decision, top: list[Entry]) -> list[Entry]:
    """Those that incumbency or a session could put before the best by score."""
    incumbent, models = decision.incumbent, set[str]()
    if decision.request.session is not None:
        models = {entry.deployment.canonical_name for entry in top}
        models |= {option.entry.deployment.canonical_name for option in members.options}
        models |= {
            one.deployment.canonical_name for one in members.able if one.deployment.id == incumbent
        }
    if incumbent is None and not models:
        return []
    return [
        entry
        for entry in members.able
        if entry.deployment.canonical_name in models or entry.deployment.id == incumbent
    ]
