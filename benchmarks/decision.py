"""What a routing decision costs: `python -m benchmarks.decision`."""

import statistics
import time
from collections.abc import Callable

import msgspec

from domain.health import Live
from domain.routing import explain, flips, plan
from domain.tokens import TokenCounter
from tests.domain.routing.catalogue import deployment, identity, price, request, snapshot, vitals

ROUNDS, BATCH = 60, 50


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


def main() -> None:
    print(f"{'µs a call':<44} {'median':>9} {'best':>9}")
    facts = request("auto", stream=True)
    for count in (1, 3, 20, 300):
        references = [f"p{n % 7}/m{n}" for n in range(count)]
        house = snapshot(
            *(
                deployment(
                    one, price(1 + n % 20 * 0.3, 3 + n % 20 * 0.5), quality=0.5 + n % 20 / 50
                )
                for n, one in enumerate(references)
            )
        )
        seen = {
            identity(one): vitals(0.3 + n % 9 / 10, 40.0 + n % 17, output=200)
            for n, one in enumerate(references)
        }
        live = Live(number=1, built_at=facts.now - 1, vitals=seen)
        show(f"decision, {count} candidates", lambda h=house, v=live: plan(h, facts, v))  # type: ignore[misc]
        if count == 20:
            decision = plan(house, facts, live).decision
    print(f"record of 20 candidates: {len(msgspec.json.encode(decision))} bytes")
    show("record to plain values", lambda: msgspec.to_builtins(decision))
    show("explain", lambda: explain(decision))
    show("flip conditions", lambda: flips(decision))
    counter = TokenCounter.load()
    text = b"The gate keeps what the rules decide, and says why. " * 40
    show(f"token count, {len(text)} bytes", lambda: counter.count(text))


if __name__ == "__main__":
    main()
