"""Header lines, of a request or an answer, by name."""

from collections.abc import Sequence


def by_name(lines: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names are lower-case; values of one that came twice are joined by ", ", cookies by "; "."""
    found = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in lines}
    if len(found) == len(lines):
        return found
    found = {}
    for line in lines:
        name, value = line[0].lower().decode("latin-1"), line[1].decode("latin-1")
        comma = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{comma}{value}" if name in found else value
    return found
