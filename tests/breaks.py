"""Takes one guard away at a time, in a copy of the tree, and says whether its test notices.

A guard whose absence makes its test hang is noticed too; nothing that was started stays.

python -m tests.breaks [--list] [words of a break's name …]
"""

import argparse
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTED = ROOT / "tests" / "breaks.toml"
PATIENCE = 300
"""Seconds for one test."""
_GO_SECONDS = 5.0
_MARK = "FAIRLEAD_BREAK"
LEFT_OUT = (".git", "node_modules", "__pycache__", "artifacts", ".mypy_cache", ".ruff_cache")


@dataclass(frozen=True, slots=True)
class Break:
    """In `file` the text `guard` becomes `gap`; `tests` are pytest's arguments."""

    kind: str
    what: str
    file: str
    guard: str
    gap: str
    tests: str

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.what}"


def copied(folder: Path) -> Path:
    """The tree as it is now, uncommitted changes included; what is installed is shared."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT, ".venv*"))
    modules = ROOT / "frontend" / "node_modules"
    if modules.exists():
        (tree / "frontend" / "node_modules").symlink_to(modules)
    return tree


def survives(tree: Path, each: Break) -> tuple[bool, str]:
    """Whether the tests pass without the guard, and the first that does not."""
    path = tree / each.file
    whole = path.read_text()
    if whole.count(each.guard) != 1:
        raise SystemExit(f"{each.name}: the guard is not in {each.file} once")
    path.write_text(whole.replace(each.guard, each.gap))
    command = f"{sys.executable} -m pytest -q -n0 -x -p no:cacheprovider {each.tests}"
    try:
        status, said = ran(command, tree, PATIENCE)
    finally:
        path.write_text(whole)
    if status is None:
        return False, f"its tests, which do not end within {PATIENCE} s"
    failed = [line for line in said.splitlines() if line.startswith(("FAILED t", "ERROR t"))]
    if status not in (0, 1):
        raise SystemExit(f"{each.name}: the tests do not run\n{said[-2_000:]}")
    return status == 0, failed[0].split(" ")[1] if failed else "its tests"


def ran(command: str, tree: Path, patience: float) -> tuple[int | None, str]:
    """How a shell's command ended, None when it did not in so many seconds, and what it said.

    Nothing that it started is left, whatever session that put itself into.
    """
    mark = secrets.token_hex(16)
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", _MARK: mark}
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, shell=True, cwd=tree, env=env, stdout=said, stderr=said, start_new_session=True
        )
        try:
            status: int | None = process.wait(patience)
        except subprocess.TimeoutExpired:
            status = None
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GO_SECONDS)
        finally:
            end_all(mark)
            process.wait()
        said.seek(0)
        return status, said.read()


def end_all(mark: str) -> None:
    """PostgreSQL takes the first signal to end its own children, the second leaves nobody."""
    for stop in (signal.SIGQUIT, signal.SIGKILL):
        until = time.monotonic() + _GO_SECONDS
        for pid in marked(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, stop)
        while marked(mark) and time.monotonic() < until:
            time.sleep(0.05)


def marked(mark: str) -> list[int]:
    """The processes that were started with this mark in their environment, and live."""
    wanted, found = f"{_MARK}={mark}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only breaks with one of these in their name")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    given = parser.parse_args()
    every = [Break(**each) for each in tomllib.loads(LISTED.read_text())["break"]]
    chosen = [b for b in every if not given.words or any(w in b.name for w in given.words)]
    lived = 0
    with tempfile.TemporaryDirectory(prefix="breaks-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        tree = folder if given.list else copied(folder)
        for each in chosen:
            if given.list:
                sys.stdout.write(f"{each.name}: {each.tests}\n")
                continue
            began = time.monotonic()
            alive, by = survives(tree, each)
            lived += alive
            said = "SURVIVED" if alive else f"caught by {by}"
            sys.stdout.write(f"{each.name}: {said} ({time.monotonic() - began:.0f} s)\n")
            sys.stdout.flush()
    return lived


if __name__ == "__main__":
    sys.exit(main())
