"""Sends very many requests, half of them streams, and sees whether memory stays flat.

    python -m benchmarks.soak [--requests 200000] [--every 10000] [-c 64]

Prints the resident memory of one process at every step, and at the end which types of objects
have become more since a tenth of the way. Ends with 1 when memory is then more than 5 % above
what it was at a tenth of the way. Needs gcc and two cores, as benchmarks/dataplane.py does.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.process import memory
from benchmarks.targets import Target, fairlead, mock_upstream

GROWTH = 1.05
SETTLED = 3
"""Seconds until what was under way is in the database and forgotten."""
SHOWN = 15


def load(target: Target, requests: int, concurrency: int) -> float:
    """Half whole and half streamed, at the same time; seconds. An error ends the run."""
    command = ["taskset", "-c", "0", sys.executable, "-m", "benchmarks.loadgen"]
    command += ["--base-url", target.base_url, "--key", target.key, "--model", target.model("mock")]
    command += ["-c", str(concurrency // 2), "-n", str(requests // 2), "--cap", "600"]
    began = time.monotonic()
    runs = [
        subprocess.Popen([*command, "--mode", mode], stdout=subprocess.PIPE, text=True)
        for mode in ("chat", "stream")
    ]
    for run in runs:
        found = json.loads(run.communicate()[0])
        if found["errors"]:
            raise SystemExit(f"{found['error_kinds']} {found['error_sample']}")
    return time.monotonic() - began


def counted(pid: int, file: Path) -> dict:
    """What the process holds (benchmarks/counted.py)."""
    time.sleep(SETTLED)
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    until = time.monotonic() + 60
    while not file.exists():
        if time.monotonic() > until:
            raise SystemExit("the server does not count its objects")
        time.sleep(0.05)
    found: dict = json.loads(file.read_text())
    return found


def grown(early: dict, late: dict) -> Table:
    """The types that have become more, by how many more."""
    shown = Table("type")
    for column in ("early", "late"):
        shown.add_column(column, justify="right")
    more = {name: n - early["types"].get(name, 0) for name, n in late["types"].items()}
    for name in sorted(more, key=more.__getitem__, reverse=True)[:SHOWN]:
        if more[name] > 0:
            shown.add_row(name, str(early["types"].get(name, 0)), str(late["types"][name]))
    shown.add_row("live blocks of the allocator", str(early["blocks"]), str(late["blocks"]))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--every", type=int, default=10_000)
    parser.add_argument("-c", type=int, default=64)
    chosen = parser.parse_args()
    console, early = Console(width=100), None
    resident: list[float] = []
    with tempfile.TemporaryDirectory() as folder, mock_upstream() as upstream:
        file = Path(folder) / "counted"
        os.chmod(folder, 0o777)
        with fairlead(upstream, module="benchmarks.counted", COUNTED=str(file)) as target:
            for done in range(chosen.every, chosen.requests + 1, chosen.every):
                seconds = load(target, chosen.every, chosen.c)
                found = memory(target.pid)
                resident.append(found["VmRSS"])
                parts = ", ".join(
                    f"{name[3:].lower()} {found[name]:.1f}" for name in ("RssAnon", "RssFile")
                )
                console.print(
                    f"{done:>8} requests  {found['VmRSS']:6.1f} MB ({parts}),"
                    f" most {found['VmHWM']:.1f}  {chosen.every / seconds:.0f} requests/s"
                )
                if early is None and done >= chosen.requests / 10:
                    early, at = counted(target.pid, file), found["VmRSS"]
            console.print(grown(early, counted(target.pid, file)))
    growth = resident[-1] / at
    console.print(
        f"first {resident[0]:.1f} MB, at a tenth {at:.1f}, last {resident[-1]:.1f},"
        f" most {max(resident):.1f}; the last is {growth - 1:+.1%} of a tenth's"
    )
    raise SystemExit(growth > GROWTH)


if __name__ == "__main__":
    main()
