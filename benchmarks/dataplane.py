"""Measures the data plane beside direct calls to the same upstream, and beside peers, in one run.

    python -m benchmarks.dataplane [--seconds 3] [--rounds 3] [--enforced]
        [--litellm VENV] [--portkey FOLDER]

Needs gcc (the upstream is benchmarks/mock.c) and two cores: the gateway under test runs alone on
one, the upstream and the load generator share the other. Rounds are interleaved; medians are
printed. At concurrency 16 and 64 latency is mostly queueing: read added latency at 1.

Which Python runs it matters: one built without profile-guided optimisation, as pyenv builds it,
takes about a tenth more CPU than a distribution's (`make PYTHON=/usr/bin/python3.11`).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from benchmarks.targets import Target, direct, fairlead, litellm, mock_upstream, portkey

CELLS = [
    ("chat", 1, "mock"),
    ("chat", 16, "mock"),
    ("chat", 64, "mock"),
    ("stream", 1, "mock"),
    ("stream", 16, "mock"),
    ("stream", 16, "mock-g10"),
]


def measure(target: Target, mode: str, concurrency: int, model: str, seconds: float) -> dict:
    """One load-generator run on core 0; its JSON."""
    command = [sys.executable, "-m", "benchmarks.loadgen", "--base-url", target.base_url]
    command += ["--key", target.key, "--model", target.model(model), "--mode", mode]
    command += ["-c", str(concurrency), "-d", str(seconds), "--warmup", str(20 * concurrency)]
    command += [part for header in target.headers for part in ("--header", header)]
    if target.pid:
        command += ["--pid", str(target.pid)]
    command = ["taskset", "-c", "0", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["errors"]:
        raise SystemExit(f"{target.name}: {found['error_kinds']} {found['error_sample']}")
    return found


def table(results: dict[tuple, list[dict]], targets: list[Target]) -> Table:
    """Medians over the rounds; added latency and ratios are against `direct` in the same run."""
    shown = Table(
        "load", "target", "req/s", "of direct", "p50 ms", "added p50", "p99 ms", "added p99"
    )
    for column in ("first token +ms", "CPU µs/request", "CPU µs/chunk", "RSS MB"):
        shown.add_column(column, justify="right")
    for cell in CELLS:
        base = medians(results[("direct", *cell)])
        for target in targets:
            found = medians(results[(target.name, *cell)])
            shown.add_row(*row(cell, target, found, base))
        shown.add_section()
    return shown


def row(cell: tuple, target: Target, found: dict, base: dict) -> list[str]:
    mode, concurrency, model = cell
    own = target.name != "direct"
    added = [f"{found[p] - base[p]:+.3f}" if own else "" for p in ("p50", "p99")]
    first = f"{found['ttft'] - base['ttft']:+.3f}" if own and mode == "stream" else ""
    return [
        f"{mode} c{concurrency} {model}",
        target.name,
        f"{found['rps']:.0f}",
        f"{found['rps'] / base['rps']:.3f}" if own else "",
        f"{found['p50']:.3f}",
        added[0],
        f"{found['p99']:.3f}",
        added[1],
        first,
        *(f"{found[k]:.1f}" if found.get(k) is not None else "" for k in ("cpu", "chunk", "rss")),
    ]


def medians(rounds: list[dict]) -> dict:
    picked = [
        {
            "rps": r["rps"],
            "p50": r["lat"]["p50"],
            "p99": r["lat"]["p99"],
            "ttft": r.get("ttft", {}).get("p50"),
            "cpu": r.get("cpu_us_per_req"),
            "chunk": r.get("cpu_us_per_event"),
            "rss": r.get("rss_mb"),
        }
        for r in rounds
    ]
    known = {k: [p[k] for p in picked if p[k] is not None] for k in picked[0]}
    return {k: statistics.median(v) if v else None for k, v in known.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--litellm", help="a venv with litellm[proxy]")
    parser.add_argument("--portkey", help="a folder where @portkey-ai/gateway is installed")
    parser.add_argument("--enforced", action="store_true", help="also with credits ENFORCED")
    chosen = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("This needs two cores: one for the gateway, one for load and upstream.")
    results: dict[tuple, list[dict]] = defaultdict(list)
    with ExitStack() as stack:
        upstream = stack.enter_context(mock_upstream())
        targets = [direct(upstream), stack.enter_context(fairlead(upstream))]
        if chosen.litellm:
            targets.append(stack.enter_context(litellm(upstream, chosen.litellm)))
        if chosen.portkey:
            targets.append(stack.enter_context(portkey(upstream, chosen.portkey)))
        if chosen.enforced:
            targets.append(stack.enter_context(fairlead(upstream, enforced=True)))
        for _ in range(chosen.rounds):
            for cell in CELLS:
                for target in targets:
                    found = measure(target, *cell, chosen.seconds)
                    results[(target.name, *cell)].append(found)
    Console(width=180).print(table(results, targets))


if __name__ == "__main__":
    main()
