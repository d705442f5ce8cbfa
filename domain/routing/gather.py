"""Collects the candidates of a request: its targets, within their level, and its fallbacks."""

from collections.abc import Iterator, Sequence

import msgspec

from domain.decision import Exclusion, Reason
from domain.errors import InvalidInput
from domain.request import RequestFacts
from domain.routing.filters import Examiner, Option
from domain.routing.resolve import Resolution, allows, covers, expand
from domain.ruleset import PowerLevel
from domain.snapshot import Deployment, Snapshot

DEAREST_FIRST = (PowerLevel.PRECISION, PowerLevel.BALANCED, PowerLevel.ECO)


class Pool(msgspec.Struct):
    """`served_level` is None when no level counts; `unallowed` are not shown, only counted."""

    targets: list[Option]
    fallbacks: list[Option]
    served_level: PowerLevel | None
    unallowed: int
    last_resort: bool = False

    @property
    def eligible(self) -> list[Option]:
        return [option for option in self.targets if not option.exclusions]

    @property
    def eligible_fallbacks(self) -> list[Option]:
        return [option for option in self.fallbacks if not option.exclusions]


def gather(snapshot: Snapshot, facts: RequestFacts, found: Resolution, examiner: Examiner) -> Pool:
    """Everything considered. When only circuits and limits stand in the way, the least bad
    of the targets, else of the fallbacks, is let through."""
    targets = [
        examiner.examine(deployment, by_level=False, named=deployment.reference == facts.model)
        for deployment in found.named.values()
    ]
    unallowed = 0
    if found.auto:
        for option in targets:
            option.exempt = True
        members = list(_members(snapshot, facts, found))
        unallowed = len(snapshot.deployments) - len(members) - len(found.named)
        targets += [examiner.examine(member, by_level=True, named=False) for member in members]
    served = _within_level(targets, found.level) if found.auto and found.level else None
    fallbacks = _fallbacks(snapshot, facts, found, examiner, targets)
    targets = [option for option in targets if not option.is_fallback]
    pool = Pool(targets, fallbacks, served, unallowed)
    if not pool.eligible and not pool.eligible_fallbacks:
        pool.last_resort = _let_through(pool.targets) or _let_through(pool.fallbacks)
    return pool


def _members(snapshot: Snapshot, facts: RequestFacts, found: Resolution) -> Iterator[Deployment]:
    covered = covers(facts, found)
    for deployment in snapshot.deployments.values():
        named = found.named and deployment.id in found.named
        if not named and (covered or allows(facts, deployment)):
            yield deployment


def _within_level(targets: Sequence[Option], asked: PowerLevel) -> PowerLevel:
    """The level that serves: the one asked for, else the next cheaper with anyone eligible.

    Members of every other level are excluded; where no level has anyone, only the dearer.
    """
    levels = DEAREST_FIRST[DEAREST_FIRST.index(asked) :]
    present = {option.level for option in targets if option.by_level and not option.exclusions}
    named = any(not option.by_level and not option.exclusions for option in targets)
    served = asked if named else next((level for level in levels if level in present), None)
    inside = levels if served is None else (served,)
    exclusions = {level: Exclusion(Reason.LEVEL, detail=level.value) for level in PowerLevel}
    for option in targets:
        if option.by_level and option.level is not None and option.level not in inside:
            option.exclusions = (*option.exclusions, exclusions[option.level])
    return served or asked


def _fallbacks(
    snapshot: Snapshot,
    facts: RequestFacts,
    found: Resolution,
    examiner: Examiner,
    targets: Sequence[Option],
) -> list[Option]:
    """An alias's list in place of the rules'. Under auto nothing dearer than its level serves,
    but a cheaper member that is listed may. A target that is listed stays a target."""
    names = found.fallbacks or snapshot.ruleset.fallbacks
    if not names:
        return []
    granted = bool(found.fallbacks) and covers(facts, found)
    known = {option.deployment.id: option for option in targets}
    options = []
    for place, name in enumerate(names):
        for deployment in _named(snapshot, name, found):
            if not (granted or allows(facts, deployment)):
                continue
            option = known.get(deployment.id)
            if option is None:
                option = examiner.examine(deployment, by_level=found.auto, named=True)
                _refuse_dearer(option, found)
            elif option.listed_at is not None:
                continue
            elif _is_cheaper(option, found):
                option.exclusions = ()
            else:
                option.listed_at = place
                continue
            option.listed_at, option.is_fallback = place, True
            known[deployment.id] = option
            options.append(option)
    return options


def _refuse_dearer(option: Option, found: Resolution) -> None:
    if found.auto and option.level and not _affordable(option, found):
        dearer = Exclusion(Reason.LEVEL, detail=option.level.value)
        option.exclusions = (*option.exclusions, dearer)


def _is_cheaper(option: Option, found: Resolution) -> bool:
    """Excluded for nothing but a level below the one that serves."""
    reasons = {exclusion.reason for exclusion in option.exclusions}
    return reasons == {Reason.LEVEL} and _affordable(option, found)


def _affordable(option: Option, found: Resolution) -> bool:
    if found.level is None or option.level is None:
        return False
    return DEAREST_FIRST.index(option.level) >= DEAREST_FIRST.index(found.level)


def _named(snapshot: Snapshot, name: str, found: Resolution) -> list[Deployment]:
    """A fallback that leads nowhere is said in the decision; it does not fail the request."""
    try:
        expanded = expand(snapshot, name)
    except InvalidInput:
        found.unresolved.append(name)
        return []
    if not expanded.named:
        found.unresolved.append(name)
    return list(expanded.named.values())


def _let_through(options: Sequence[Option]) -> bool:
    """The one that is back first, with all its keys; False when no waiting would help."""
    waiting = [option for option in options if option.passes_by_itself]
    if not waiting:
        return False
    least_bad = min(waiting, key=lambda option: (option.back_at, option.deployment.id.int))
    least_bad.exclusions = ()
    least_bad.credentials = least_bad.keys.credentials
    return True
