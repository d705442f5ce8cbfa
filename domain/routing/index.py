"""What a snapshot says of its models before any request is known, worked out once."""

import math
import uuid
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from domain.decision import Reason
from domain.pricing import level_of
from domain.ruleset import PowerLevel
from domain.snapshot import Capability, Deployment, Modality, Price, Provider, Snapshot


class Entry(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A deployment at one time. `place` is its position in the snapshot."""

    place: int
    deployment: Deployment
    price: Price | None
    level: PowerLevel | None


class Demand(msgspec.Struct, frozen=True):
    """What a request asks of any model. `tokens` is the prompt with the longest answer,
    `longest` the cap on the answer if the caller set one."""

    needs: frozenset[Capability]
    modalities: frozenset[Modality]
    answer: Modality
    tokens: int
    longest: int | None


class Shape(msgspec.Struct, frozen=True):
    """What a model can do, as far as many models are alike in it."""

    capabilities: frozenset[Capability]
    inputs: frozenset[Modality]
    outputs: frozenset[Modality]

    def is_able(self, demand: Demand) -> bool:
        return demand.needs <= self.capabilities

    def speaks(self, demand: Demand) -> bool:
        return demand.modalities <= self.inputs and demand.answer in self.outputs


class Shelf(msgspec.Struct, frozen=True):
    """Models of one provider, level and shape that are enabled and priced.

    `window` and `longest` (tokens) are the least of any of them.
    """

    provider: Provider
    shape: Shape
    entries: tuple[Entry, ...]
    window: float
    longest: float

    def fitting(self, demand: Demand) -> Iterable[Entry]:
        """Those that nothing about themselves keeps from serving."""
        if not (self.shape.is_able(demand) and self.shape.speaks(demand)):
            return ()
        asked = demand.longest or 0
        if demand.tokens <= self.window and asked <= self.longest:
            return self.entries
        return (
            entry
            for entry in self.entries
            if demand.tokens <= _window(entry.deployment) and asked <= _longest(entry.deployment)
        )


class Tally(msgspec.Struct, frozen=True):
    """How many models there are of each kind; `windows` and `longest` are sorted."""

    disabled: int
    unpriced: int
    shapes: dict[Shape, int]
    levels: dict[PowerLevel, int]
    windows: list[float]
    longest: list[float]

    def unsuited(self, demand: Demand) -> Counter[Reason]:
        """How many models each reason of their own keeps from serving under auto."""
        found = Counter({Reason.DISABLED: self.disabled, Reason.PRICE_UNKNOWN: self.unpriced})
        for shape, count in self.shapes.items():
            if not shape.is_able(demand):
                found[Reason.CAPABILITY] += count
            if not shape.speaks(demand):
                found[Reason.MODALITY] += count
        found[Reason.CONTEXT_WINDOW] = bisect_left(self.windows, demand.tokens)
        if demand.longest is not None:
            found[Reason.OUTPUT_LIMIT] = bisect_left(self.longest, demand.longest)
        return found


class Index(msgspec.Struct, frozen=True):
    """True from `since` until just before `until` (Unix seconds): prices are dated.

    `entries` are in the order of the snapshot; `sizes` counts the models of each provider.
    """

    since: float
    until: float
    entries: dict[uuid.UUID, Entry]
    shelves: dict[PowerLevel, tuple[Shelf, ...]]
    sizes: tuple[tuple[Provider, int], ...]
    tally: Tally


def index_of(snapshot: Snapshot, now: float) -> Index:
    """The index at `now` (Unix seconds), kept with the snapshot until a price changes."""
    index: Index | None = snapshot.derived.get(Index)
    if index is None or not index.since <= now < index.until:
        index = snapshot.derived[Index] = _index(snapshot, now)
    return index


def only(index: Index, ids: Iterable[uuid.UUID]) -> Index:
    """The part of `index` that is about these deployments."""
    entries = sorted((index.entries[id] for id in ids), key=lambda entry: entry.place)
    return _filled(index.since, index.until, entries)


def _index(snapshot: Snapshot, now: float) -> Index:
    deployments = snapshot.deployments.values()
    changes = {price.valid_from for deployment in deployments for price in deployment.prices}
    entries = []
    for place, deployment in enumerate(deployments):
        price = deployment.price_at(now)
        level = level_of(deployment, price, snapshot.ruleset)
        entries.append(Entry(place, deployment, price, level))
    return _filled(
        max((at for at in changes if at <= now), default=-math.inf),
        min((at for at in changes if at > now), default=math.inf),
        entries,
    )


def _filled(since: float, until: float, entries: Sequence[Entry]) -> Index:
    providers = {entry.deployment.provider.slug: entry.deployment.provider for entry in entries}
    sizes = Counter(entry.deployment.provider.slug for entry in entries)
    return Index(
        since=since,
        until=until,
        entries={entry.deployment.id: entry for entry in entries},
        shelves=_shelved(entries),
        sizes=tuple((provider, sizes[slug]) for slug, provider in providers.items()),
        tally=_tallied(entries),
    )


def _shelved(entries: Sequence[Entry]) -> dict[PowerLevel, tuple[Shelf, ...]]:
    alike: dict[tuple[PowerLevel, str, Shape], list[Entry]] = defaultdict(list)
    for entry in entries:
        if _is_enabled(entry.deployment) and entry.price is not None and entry.level is not None:
            kind = entry.level, entry.deployment.provider.slug, _shape(entry.deployment)
            alike[kind].append(entry)
    shelves: dict[PowerLevel, list[Shelf]] = {level: [] for level in PowerLevel}
    for (level, _, shape), found in alike.items():
        shelves[level].append(
            Shelf(
                provider=found[0].deployment.provider,
                shape=shape,
                entries=tuple(found),
                window=min(_window(entry.deployment) for entry in found),
                longest=min(_longest(entry.deployment) for entry in found),
            )
        )
    return {level: tuple(found) for level, found in shelves.items()}


def _tallied(entries: Sequence[Entry]) -> Tally:
    deployments = [entry.deployment for entry in entries]
    return Tally(
        disabled=sum(not _is_enabled(one) for one in deployments),
        unpriced=sum(entry.price is None for entry in entries),
        shapes=dict(Counter(map(_shape, deployments))),
        levels=dict(Counter(entry.level for entry in entries if entry.level is not None)),
        windows=sorted(map(_window, deployments)),
        longest=sorted(map(_longest, deployments)),
    )


def _is_enabled(deployment: Deployment) -> bool:
    return deployment.enabled and deployment.provider.enabled


def _shape(deployment: Deployment) -> Shape:
    return Shape(deployment.capabilities, deployment.input_modalities, deployment.output_modalities)


def _window(deployment: Deployment) -> float:
    return math.inf if deployment.context_length is None else deployment.context_length


def _longest(deployment: Deployment) -> float:
    return math.inf if deployment.max_output_tokens is None else deployment.max_output_tokens
