"""Runs the tests behind each row of docs/security-tests.md: python -m tests.promises [row …]."""

import shlex
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LISTED = ROOT / "tests" / "promises.toml"


def main() -> int:
    """How many rows do not hold."""
    rows, broken = tomllib.loads(LISTED.read_text()), 0
    for name, tests in rows.items():
        if len(sys.argv) > 1 and name.split(" ")[0] not in sys.argv[1:]:
            continue
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-n0", *shlex.split(tests)]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        broken += ran.returncode != 0
        said = ran.stdout.strip().splitlines() or [ran.stderr.strip()]
        sys.stdout.write(f"{name}: {said[-1]} ({time.monotonic() - began:.0f} s)\n")
        failed = [line for line in said if line.startswith(("FAILED", "ERROR"))]
        sys.stdout.writelines(f"    {line}\n" for line in failed)
        sys.stdout.flush()
    return broken


if __name__ == "__main__":
    sys.exit(main())
