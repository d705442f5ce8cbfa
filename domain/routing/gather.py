"""Collects the candidates of a request: its targets, within their level, and its fallbacks."""

import uuid
from collections.abc import Iterator, Sequence

import msgspec

from domain.decision import REASONS, Exclusion, Reason
from domain.errors import InvalidInput
from domain.health import Live
from domain.request import RequestFacts
from domain.routing.filters import Examiner, Option
from domain.routing.index import index_of, only
from domain.routing.members import Members
from domain.routing.resolve import Resolution, allows, covers, expand
from domain.ruleset import PowerLevel
from domain.snapshot import Deployment, Snapshot

DEAREST_FIRST = (PowerLevel.PRECISION, PowerLevel.BALANCED, PowerLevel.ECO)


class Pool(msgspec.Struct):
    """`members` are targets too, under auto. `served_level` is None when no level counts;
    `unallowed` are not shown, only counted."""

    named: list[Option]
    members: Members | None
    fallbacks: list[Option]
    served_level: PowerLevel | None
    unallowed: int
    last_resort: bool = False

    @property
    def targets(self) -> list[Option]:
        """Those that were looked at."""
        if self.members is None:
            return self.named
        return [*self.named, *(each for each in self.members.options if not each.is_fallback)]

    @property
    def eligible(self) -> list[Option]:
        return [option for option in self.targets if not option.exclusions]

    @property
    def eligible_fallbacks(self) -> list[Option]:
        return [option for option in self.fallbacks if not option.exclusions]

    @property
    def excluded(self) -> Iterator[Option]:
        """Targets, then fallbacks; members that were only counted are looked at now."""
        yield from (option for option in self.named if option.exclusions)
        if self.members:
            yield from self.members.excluded()
        yield from (option for option in self.fallbacks if option.exclusions)

    @property
    def size(self) -> int:
        uncounted = self.members.others if self.members else 0
        return len(self.targets) + uncounted + len(self.fallbacks)

    @property
    def reasons(self) -> dict[Reason, int]:
        """How often each reason excludes anyone."""
        found = self.members.reasons() if self.members else {}
        for option in (*self.targets, *self.fallbacks):
            for exclusion in option.exclusions:
                found[exclusion.reason] = found.get(exclusion.reason, 0) + 1
        if self.unallowed:
            found[Reason.NOT_ALLOWED] = found.get(Reason.NOT_ALLOWED, 0) + self.unallowed
        return {reason: found[reason] for reason in REASONS if found.get(reason)} if found else {}


def gather(
    snapshot: Snapshot, facts: RequestFacts, live: Live, found: Resolution, examiner: Examiner
) -> Pool:
    """Everything considered. When only circuits and limits stand in the way, the least bad
    of the targets, else of the fallbacks, is let through."""
    index = index_of(snapshot, facts.now)
    pool = Pool(
        named=[
            examiner.examine(index.entries[id], by_level=False, named=one.reference == facts.model)
            for id, one in found.named.items()
        ],
        members=None,
        fallbacks=[],
        served_level=None,
        unallowed=0,
    )
    if found.auto and found.level:
        for option in pool.named:
            option.exempt = True
        part = index if covers(facts, found) else only(index, _allowed(snapshot, facts))
        levels = DEAREST_FIRST[DEAREST_FIRST.index(found.level) :]
        members = pool.members = Members(part, live, examiner, found.named, levels)
        pool.unallowed = len(snapshot.deployments) - members.size - len(found.named)
        pool.served_level = members.serve(anyway=bool(pool.eligible)) or found.level
    pool.fallbacks = _fallbacks(snapshot, facts, found, examiner, pool)
    if not ((pool.members and pool.members.able) or pool.eligible or pool.eligible_fallbacks):
        if pool.members:
            pool.members.single_waiting()
        pool.last_resort = _let_through(pool.targets) or _let_through(pool.fallbacks)
    return pool


def _allowed(snapshot: Snapshot, facts: RequestFacts) -> set[uuid.UUID]:
    """The same deployments that `allows` lets through, without asking it of each."""
    found = set()
    for name in facts.allowed_models or ():
        if name in snapshot.by_reference:
            found.add(snapshot.by_reference[name].id)
        found.update(deployment.id for deployment in snapshot.by_name.get(name, ()))
    return found


def _fallbacks(
    snapshot: Snapshot,
    facts: RequestFacts,
    found: Resolution,
    examiner: Examiner,
    pool: Pool,
) -> list[Option]:
    """An alias's list in place of the rules'. Under auto nothing dearer than its level serves,
    but a cheaper member that is listed may. A target that is listed stays a target."""
    names = found.fallbacks or snapshot.ruleset.fallbacks
    if not names:
        return []
    granted = bool(found.fallbacks) and covers(facts, found)
    index = index_of(snapshot, facts.now)
    known = {option.entry.deployment.id: option for option in pool.named}
    options = []
    for place, name in enumerate(names):
        for deployment in _named(snapshot, name, found):
            if not (granted or allows(facts, deployment)):
                continue
            option = known.get(deployment.id)
            if option is None and pool.members:
                option = pool.members.take(deployment.id)
            if option is None:
                entry = index.entries[deployment.id]
                option = examiner.examine(entry, by_level=found.auto, named=True)
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
    if found.auto and option.entry.level and not _affordable(option, found):
        dearer = Exclusion(Reason.LEVEL, detail=option.entry.level.value)
        option.exclusions = (*option.exclusions, dearer)


def _is_cheaper(option: Option, found: Resolution) -> bool:
    """Excluded for nothing but a level below the one that serves."""
    reasons = {exclusion.reason for exclusion in option.exclusions}
    return reasons == {Reason.LEVEL} and _affordable(option, found)


def _affordable(option: Option, found: Resolution) -> bool:
    if found.level is None or option.entry.level is None:
        return False
    return DEAREST_FIRST.index(option.entry.level) >= DEAREST_FIRST.index(found.level)


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
    least_bad = min(waiting, key=lambda option: (option.back_at, option.entry.deployment.id.int))
    least_bad.exclusions = ()
    least_bad.credentials = least_bad.keys.credentials
    return True
