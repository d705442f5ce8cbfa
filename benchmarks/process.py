"""CPU time and memory of a server's processes, read from /proc; a database beside it is not one."""

import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


DATABASE = "postgres"
"""Fairlead's embedded server is its child; what a database costs is not the gateway's cost."""


def tree(pid: int) -> list[int]:
    """`pid` and every descendant of it, without a database server and its children."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if f"({DATABASE})" not in stat:
                parent = int(stat.rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    todo, found = [pid], []
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def usage(pid: int) -> tuple[float, int]:
    """CPU seconds (all threads, nanosecond resolution) and resident bytes of the tree."""
    cpu, resident = 0.0, 0
    for process in tree(pid):
        root = Path(f"/proc/{process}")
        try:
            for task in (root / "task").iterdir():
                cpu += int((task / "schedstat").read_text().split()[0]) / 1e9
            resident += int((root / "statm").read_text().split()[1]) * PAGE
        except OSError:
            continue
    return cpu, resident


def memory(pid: int) -> dict[str, float]:
    """MB of one process by the kernel's names: VmRSS now, VmHWM at most, RssAnon, RssFile."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = (line.split() for line in lines if line.endswith(" kB"))
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in found}
