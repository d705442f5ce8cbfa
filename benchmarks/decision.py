"""What a routing decision costs: `python -m benchmarks.decision`."""

import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from domain.catalogue import PROVIDERS, entries
from domain.decision import Decision
from domain.health import Live
from domain.listprice import list_price
from domain.routing import explain, flips, plan
from domain.routing.index import index_of
from domain.snapshot import Deployment, Snapshot
from domain.tokens import TokenCounter
from tests.domain.routing.catalogue import (
    credential,
    deployment,
    price,
    provider,
    request,
    snapshot,
    vitals,
)

ROUNDS, BATCH = 60, 50
PICO = 1e6
"""Pico-USD per token of $ 1 per 1M tokens."""


def microseconds(work: Callable[[], object]) -> tuple[float, float]:
    """Median and best of several batches, a call."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(BATCH):
            work()
        times.append((time.perf_counter() - started) / BATCH * 1e6)
    return statistics.median(times), min(times)


def show(what: str, work: Callable[[], object]) -> None:
    median, best = microseconds(work)
    print(f"{what:<44} {median:>9.1f} {best:>9.1f}")


def observed(deployments: Iterable[Deployment], now: float) -> Live:
    """Each answered at a pace of its own."""
    seen = {
        one.id: vitals(0.3 + n % 9 / 10, 40.0 + n % 17, output=200)
        for n, one in enumerate(deployments)
    }
    return Live(number=1, built_at=now - 1, vitals=seen)


def alike(count: int) -> list[Deployment]:
    """Models that all may serve, of seven providers without keys."""
    return [
        deployment(
            f"p{n % 7}/m{n}", price(1 + n % 20 * 0.3, 3 + n % 20 * 0.5), quality=0.5 + n % 20 / 50
        )
        for n in range(count)
    ]


def seeded(*, keyed: bool) -> Snapshot:
    """The seeded catalogue with two models of an own endpoint, which needs no key."""
    providers = {slug: provider(slug, type=kind) for slug, (_, kind) in PROVIDERS.items()}
    own = [
        deployment("local/a", price(1.0, 4.0)),
        deployment("local/b", price(3.0, 12.0)),
    ]
    models = []
    for entry in entries():
        known = list_price(entry["provider"], entry["name"], datetime.now(UTC))
        if known is not None:
            at = providers[entry["provider"]]
            cost = price(known.input / PICO, known.output / PICO)
            models.append(deployment(f"{at.slug}/{entry['name']}", cost, at=at, quality=None))
    keys = [credential(slug, at) for slug, at in providers.items()] if keyed else []
    return snapshot(*models, *own, credentials=keys)


def show_catalogue() -> None:
    facts = request("auto", stream=True)
    for keyed in (False, True):
        house = seeded(keyed=keyed)
        live = observed(house.deployments.values(), facts.now)
        size, who = len(house.deployments), "every provider keyed" if keyed else "2 usable"
        show(f"auto, {size} models, {who}", lambda h=house, v=live: plan(h, facts, v))  # type: ignore[misc]
    named = msgspec.structs.replace(facts, model="local/a")
    show(f"a reference, {size} models", lambda: plan(house, named, live))

    def indexed() -> None:
        house.derived.clear()
        index_of(house, facts.now)

    show(f"index of {size} models, once a snapshot", indexed)


def show_decisions() -> Decision:
    """That of 20 candidates."""
    facts = request("auto", stream=True)
    decisions = {}
    for count in (1, 3, 20, 300):
        house = snapshot(*alike(count))
        live = observed(house.deployments.values(), facts.now)
        show(f"decision, {count} candidates", lambda h=house, v=live: plan(h, facts, v))  # type: ignore[misc]
        decisions[count] = plan(house, facts, live).decision
    return decisions[20]


def main() -> None:
    print(f"{'µs a call':<44} {'median':>9} {'best':>9}")
    decision = show_decisions()
    show_catalogue()
    print(f"record of 20 candidates: {len(msgspec.json.encode(decision))} bytes")
    show("record to plain values", lambda: msgspec.to_builtins(decision))
    show("explain", lambda: explain(decision))
    show("flip conditions", lambda: flips(decision))
    counter = TokenCounter.load()
    text = b"The gate keeps what the rules decide, and says why. " * 40
    show(f"token count, {len(text)} bytes", lambda: counter.count(text))


if __name__ == "__main__":
    main()
