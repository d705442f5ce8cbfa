"""CPU time and memory of a process and its children, read from /proc."""

import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """`pid` and every descendant of it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
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
