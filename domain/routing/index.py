"""What a snapshot says of its models before any request is known, worked out once."""

import math
import uuid
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from domain.pricing import blended, level_of
from domain.ruleset import PowerLevel
from domain.snapshot import Capability, Deployment, Modality, Price, Provider, Snapshot


class Entry(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A deployment at one time. `place` is its position in the snapshot; `list_price` is in
    nano-USD per 1M tokens, blended 3:1."""

    place: int
    deployment: Deployment
    reference: str
    price: Price | None
    list_price: int | None
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


class Shelf(msgspec.Struct, frozen=True):
    """Models of one provider, level and shape that are enabled and priced.

    `shape` is a place in the index's shapes; `window` and `longest` (tokens) are the least of any.
    """

    shape: int
    entries: tuple[Entry, ...]
    window: float
    longest: float

    def fitting(self, demand: Demand) -> Iterable[Entry]:
        """Those whose window and longest answer are large enough."""
        asked = demand.longest or 0
        if demand.tokens <= self.window and asked <= self.longest:
            return self.entries
        return (
            entry
            for entry in self.entries
            if demand.tokens <= window_of(entry.deployment) and asked <= _longest(entry.deployment)
        )


class Tally(msgspec.Struct, frozen=True):
    """How many models there are of each kind. `shapes` goes with those of the index; `windows`
    and `longest` (tokens) are of each model, sorted."""

    disabled: int
    unpriced: int
    shapes: tuple[int, ...]
    levels: dict[PowerLevel, int]
    windows: list[float]
    longest: list[float]

    def too_small(self, demand: Demand) -> int:
        return bisect_left(self.windows, demand.tokens)

    def too_short(self, demand: Demand) -> int:
        return 0 if demand.longest is None else bisect_left(self.longest, demand.longest)


class Index(msgspec.Struct, frozen=True):
    """True from `since` until just before `until` (Unix seconds): prices are dated.

    `entries` are in the order of the snapshot, `shelves` by level and provider's slug, and
    `sizes` counts the models of each provider.
    """

    since: float
    until: float
    entries: dict[uuid.UUID, Entry]
    shapes: tuple[Shape, ...]
    shelves: dict[PowerLevel, dict[str, tuple[Shelf, ...]]]
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
        list_price = None if price is None else blended(price)
        level = level_of(deployment, price, snapshot.ruleset)
        entries.append(Entry(place, deployment, deployment.reference, price, list_price, level))
    return _filled(
        max((at for at in changes if at <= now), default=-math.inf),
        min((at for at in changes if at > now), default=math.inf),
        entries,
    )


def _filled(since: float, until: float, entries: Sequence[Entry]) -> Index:
    providers = {entry.deployment.provider.slug: entry.deployment.provider for entry in entries}
    sizes = Counter(entry.deployment.provider.slug for entry in entries)
    shapes = Counter(_shape(entry.deployment) for entry in entries)
    return Index(
        since=since,
        until=until,
        entries={entry.deployment.id: entry for entry in entries},
        shapes=tuple(shapes),
        shelves=_shelved(entries, {shape: place for place, shape in enumerate(shapes)}),
        sizes=tuple((provider, sizes[slug]) for slug, provider in providers.items()),
        tally=Tally(
            disabled=sum(not _is_enabled(entry.deployment) for entry in entries),
            unpriced=sum(entry.price is None for entry in entries),
            shapes=tuple(shapes.values()),
            levels=dict(Counter(entry.level for entry in entries if entry.level is not None)),
            windows=sorted(window_of(entry.deployment) for entry in entries),
            longest=sorted(_longest(entry.deployment) for entry in entries),
        ),
    )


def _shelved(
    entries: Sequence[Entry], shapes: Mapping[Shape, int]
) -> dict[PowerLevel, dict[str, tuple[Shelf, ...]]]:
    alike: dict[tuple[PowerLevel, str, Shape], list[Entry]] = defaultdict(list)
    for entry in entries:
        if _is_enabled(entry.deployment) and entry.price is not None and entry.level is not None:
            kind = entry.level, entry.deployment.provider.slug, _shape(entry.deployment)
            alike[kind].append(entry)
    shelves: dict[PowerLevel, dict[str, tuple[Shelf, ...]]] = {level: {} for level in PowerLevel}
    for (level, slug, shape), found in alike.items():
        shelf = Shelf(
            shape=shapes[shape],
            entries=tuple(found),
            window=min(window_of(entry.deployment) for entry in found),
            longest=min(_longest(entry.deployment) for entry in found),
        )
        shelves[level][slug] = (*shelves[level].get(slug, ()), shelf)
    return shelves


def _is_enabled(deployment: Deployment) -> bool:
    return deployment.enabled and deployment.provider.enabled


def _shape(deployment: Deployment) -> Shape:
    return Shape(deployment.capabilities, deployment.input_modalities, deployment.output_modalities)


def window_of(deployment: Deployment) -> float:
    """Tokens; infinite when nobody knows a limit."""
    return math.inf if deployment.context_length is None else deployment.context_length


def _longest(deployment: Deployment) -> float:
    return math.inf if deployment.max_output_tokens is None else deployment.max_output_tokens
