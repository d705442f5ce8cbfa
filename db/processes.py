"""Which processes work in a PostgreSQL data directory, and what a killed server leaves behind.

A server and its backends have the data directory as their working directory, whatever their
process ids: a number in a lock file alone may meanwhile be somebody else's.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_GO_SECONDS = 5.0


def _works_in(pid: int, data: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(data)
    except OSError:
        return False


def server_of(data: Path) -> int | None:
    """The process id of the living server of `data` (an absolute path without links)."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if _works_in(pid, data) else None


def orphans_of(data: Path) -> list[int]:
    """Backends of `data`; where the server is dead, nobody else will end them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        with suppress(OSError):
            if _works_in(pid, data) and (entry / "cmdline").read_bytes().startswith(b"postgres:"):
                found.append(pid)
    return found


def clear_after_death(data: Path, socket_folder: Path) -> None:
    """End what a killed server left and would keep a new one from starting.

    Call only while no other process can start a server and `server_of(data)` is None. A backend
    in the middle of a long query outlives its server and holds the shared memory; a lock file
    whose number now belongs to another process would be taken for a living server.
    """
    for stop in (signal.SIGQUIT, signal.SIGKILL):
        for pid in orphans_of(data):
            with suppress(ProcessLookupError):
                os.kill(pid, stop)
        until = time.monotonic() + _GO_SECONDS
        while orphans_of(data) and time.monotonic() < until:
            time.sleep(0.02)
    (data / "postmaster.pid").unlink(missing_ok=True)
    for lock in socket_folder.glob(".s.PGSQL.*"):
        lock.unlink()
