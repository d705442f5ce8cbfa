"""The models that auto chooses among: those that could serve are looked at, the rest counted."""

import uuid
from collections.abc import Collection, Iterator

from domain.decision import REASONS, Exclusion, Reason
from domain.health import Live
from domain.routing.filters import Examiner, Option
from domain.routing.index import Entry, Index
from domain.ruleset import PowerLevel
from domain.snapshot import Provider

_OF_LEVEL = {level: Exclusion(Reason.LEVEL, detail=level.value) for level in PowerLevel}


class Members:
    """Every model of the index but the `named`.

    `able` are those of the level that serves which are known to be eligible without a look at
    each, and `options` those looked at one by one. What keeps the others from serving they have
    in common with their whole provider, level or shape, so they are counted, not looked at.
    """

    def __init__(
        self,
        index: Index,
        live: Live,
        examiner: Examiner,
        named: Collection[uuid.UUID],
        levels: tuple[PowerLevel, ...],
    ) -> None:
        """`levels`: the one asked for, then the cheaper ones in the order they are tried."""
        self._index = index
        self._live = live
        self._examiner = examiner
        self._named = named
        self._inside = levels
        self._waiting: list[Entry] = []
        self._limited: dict[str, bool] = {}
        self._found: dict[uuid.UUID, Option] = {}
        self._reasons = dict.fromkeys(REASONS, 0)
        self._keyed: list[Provider] = []
        self.able: list[Entry] = []
        self.size = len(index.entries) - sum(id in index.entries for id in named)
        self._suits = self._suited()
        self._find_keys()

    @property
    def options(self) -> list[Option]:
        return list(self._found.values())

    def serve(self, *, anyway: bool) -> PowerLevel | None:
        """The level that serves: the first with anyone eligible; `anyway` the one asked for.

        Members of every other level are excluded; where no level has anyone, only the dearer.
        """
        looked: list[Entry] = []
        served = None
        for level in self._inside:
            unusual = self._scan(level)
            looked += unusual
            if anyway or self.able or any(map(self._may_serve, unusual)):
                self._inside, served = (level,), level
                break
        for entry in looked:
            self.single(entry)
        return served

    def single(self, entry: Entry) -> Option:
        """Look at one of them."""
        option = self._found[entry.deployment.id] = self._look(entry)
        for reason in self._shared(option):
            self._reasons[reason] -= 1
        return option

    def take(self, id: uuid.UUID) -> Option | None:
        """The option of a member, looked at now if it was not before; None for others."""
        if id in self._found:
            return self._found[id]
        if id in self._named or id not in self._index.entries:
            return None
        self.able = [entry for entry in self.able if entry.deployment.id != id]
        return self.single(self._index.entries[id])

    def single_waiting(self) -> None:
        """Look at those whose provider has keys, all of which must wait."""
        for entry in self._waiting:
            self.take(entry.deployment.id)

    @property
    def others(self) -> int:
        """How many are not among the `options`."""
        return self.size - len(self._found)

    def excluded(self) -> Iterator[Option]:
        """All that may not serve, in the snapshot's order; the others are looked at for this."""
        for id, entry in self._index.entries.items():
            if id not in self._named:
                option = self._found.get(id) or self._look(entry)
                if option.exclusions and not option.is_fallback:
                    yield option

    def reasons(self) -> dict[Reason, int]:
        """How many of the others each reason excludes: of all, less those looked at."""
        index, demand, found = self._index, self._examiner.demand, dict(self._reasons)
        found[Reason.DISABLED] += index.tally.disabled
        found[Reason.PRICE_UNKNOWN] += index.tally.unpriced
        found[Reason.CONTEXT_WINDOW] += index.tally.too_small(demand)
        found[Reason.OUTPUT_LIMIT] += index.tally.too_short(demand)
        for level, count in index.tally.levels.items():
            if level not in self._inside:
                found[Reason.LEVEL] += count
        for id in self._named:
            if id in index.entries:
                for reason in self._shared(self._look(index.entries[id])):
                    found[reason] -= 1
        for id in self._live.unusual:
            if id in index.entries and id not in self._found and id not in self._named:
                option = self._look(index.entries[id])
                shared = self._shared(option)
                for exclusion in option.exclusions:
                    found[exclusion.reason] += exclusion.reason not in shared
        return found

    def _suited(self) -> list[bool]:
        """Which shapes can do what the request needs; the others are counted."""
        index, demand, suited = self._index, self._examiner.demand, []
        for shape, count in zip(index.shapes, index.tally.shapes, strict=True):
            able = demand.needs <= shape.capabilities
            speaks = demand.modalities <= shape.inputs and demand.answer in shape.outputs
            if not able:
                self._reasons[Reason.CAPABILITY] += count
            if not speaks:
                self._reasons[Reason.MODALITY] += count
            suited.append(able and speaks)
        return suited

    def _find_keys(self) -> None:
        for provider, count in self._index.sizes:
            outside = self._examiner.is_outside(provider)
            if outside:
                self._reasons[Reason.REGION] += count
            if not self._examiner.keys_of(provider).available:
                self._reasons[Reason.NO_KEY] += count
                continue
            if not outside:
                self._keyed.append(provider)
            if self._is_limited(provider):
                self._reasons[Reason.KEY_LIMITED] += count

    def _scan(self, level: PowerLevel) -> list[Entry]:
        """Finds the `able` of a level; gives those that must be looked at."""
        special = self._live.unusual.union(self._named)
        unusual: list[Entry] = []
        shelves, demand = self._index.shelves[level], self._examiner.demand
        for provider in self._keyed:
            limited = self._is_limited(provider)
            for shelf in shelves.get(provider.slug, ()):
                if not self._suits[shelf.shape]:
                    continue
                if limited:
                    self._waiting += shelf.fitting(demand)
                elif not special:
                    self.able += shelf.fitting(demand)
                else:
                    for entry in shelf.fitting(demand):
                        (unusual if entry.deployment.id in special else self.able).append(entry)
        return [entry for entry in unusual if entry.deployment.id not in self._named]

    def _may_serve(self, entry: Entry) -> bool:
        return not self._look(entry).exclusions

    def _is_limited(self, provider: Provider) -> bool:
        """Whether every key that the caller has there must wait, whatever the model."""
        if not self._live.resting:
            return False
        if provider.slug not in self._limited:
            keys, resting = self._examiner.keys_of(provider).credentials, self._live.resting
            self._limited[provider.slug] = bool(keys) and all(
                resting.get((key.id, key.version, None), 0.0) > self._examiner.now for key in keys
            )
        return self._limited[provider.slug]

    def _look(self, entry: Entry) -> Option:
        option = self._examiner.examine(entry, by_level=True, named=False)
        if option.entry.level is not None and option.entry.level not in self._inside:
            option.exclusions = (*option.exclusions, _OF_LEVEL[option.entry.level])
        return option

    def _shared(self, option: Option) -> list[Reason]:
        """Its reasons that are counted for a whole kind, not for this one."""
        limited = self._is_limited(option.entry.deployment.provider)
        return [
            exclusion.reason
            for exclusion in option.exclusions
            if exclusion.reason is not Reason.CIRCUIT_OPEN
            and (limited or exclusion.reason is not Reason.KEY_LIMITED)
        ]
