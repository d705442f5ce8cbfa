"""Groups of finished requests with their sums, and what is left beside them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from db.queries.usage_figures import NO_ID, Figures, Group, Sum

Found = dict[tuple[Any, str], Sum]
"""By id and name."""


def dearest(groups: Found, count: int) -> Found:
    """The groups that cost most, in that order."""
    return dict(sorted(groups.items(), key=_weight)[:count])


def _weight(item: tuple[tuple[Any, str], Sum]) -> tuple[Any, ...]:
    key, each = item
    return (-each.counts["cost"], -each.counts["requests"], *key)


@dataclass(slots=True)
class Sums:
    """Some groups, and what they were taken from together: None until it is known."""

    groups: Found
    bits: int
    whole: Sum | None = None
    users: Mapping[tuple[Any, Any], int] | None = None
    complete: bool = False
    """Whether there are no other groups."""

    def first(self, count: int) -> "Sums":
        """Only the groups that cost most."""
        top = dearest(self.groups, count)
        return replace(self, groups=top, complete=len(top) == len(self.groups))

    def beside(self, known: "Sums") -> "Sums":
        """With all together from sums that know it, as coarse as these."""
        if self.whole is not None or known.whole is None:
            return self
        coarse = self.bits != known.bits
        return replace(self, whole=known.whole.coarsened() if coarse else known.whole)

    def figures(self) -> Figures:
        """All together."""
        return (self.whole or Sum()).figures(self.bits)

    def split(self) -> tuple[list[Group], Figures | None]:
        """The groups, and all the others together: None without any."""
        for key, each in self.groups.items():
            each.users = None if self.users is None else self.users.get(key, 0)
        groups = [
            Group(None if id == NO_ID else id, name or None, each.figures(self.bits))
            for (id, name), each in self.groups.items()
        ]
        if self.complete or self.whole is None:
            return groups, None
        other = self.whole.without(self.groups.values())
        other.users = None if self.users is None else self.users.get((None, None), 0)
        return groups, other.figures(self.bits) if other.counts["requests"] else None
