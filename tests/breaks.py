"""Takes one guard away at a time, in a copy of the tree, and says whether its test notices.

python -m tests.breaks [--list] [words of a break's name …]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTED = ROOT / "tests" / "breaks.toml"
PATIENCE = 300
"""Seconds for one test."""
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
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(
            command, shell=True, cwd=tree, env=env, capture_output=True, text=True, timeout=PATIENCE
        )
    finally:
        path.write_text(whole)
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED t", "ERROR t"))]
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{each.name}: the tests do not run\n{ran.stdout[-2_000:]}")
    return ran.returncode == 0, failed[0].split(" ")[1] if failed else "its tests"


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
