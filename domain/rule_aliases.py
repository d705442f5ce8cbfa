"""Checks of aliases and fallbacks: that every name leads somewhere, once, and hides nothing."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from domain import checks
from domain.errors import InvalidInput
from domain.routing.resolve import AUTO, DEEPEST, level_named
from domain.rule_findings import Catalogue, Finding, FindingCode, error, warning
from domain.ruleset import Alias, RuleBody, Ruleset, alias_field

_Ids: TypeAlias = frozenset[uuid.UUID]
_MOST_SHOWN = 12


def is_auto(name: str) -> bool:
    """Whether a request for `name` leaves the choice to the rules."""
    return name == AUTO or name.startswith(f"{AUTO}:")


def check_aliases(body: RuleBody, base: Ruleset, catalogue: Catalogue) -> Iterator[Finding]:
    """`base` is what the rules would inherit; its aliases may be named too."""
    names = Names({**base.aliases, **body.aliases}, catalogue)
    for index, (name, alias) in enumerate(body.aliases.items()):
        field = f"aliases.{index}"
        yield from _name(field, name, base, catalogue)
        yield from names.ends(f"{field}.targets", name)
        if not alias.targets:
            yield error(FindingCode.EMPTY, f"{field}.targets", "Name at least one model.", name)
        yield from names.targets(f"{field}.targets", alias.targets, name)
        yield from names.fallbacks(f"{field}.fallbacks", alias.fallbacks, name, alias.targets)
    yield from names.fallbacks("fallbacks", body.fallbacks or (), None, ())


def _name(field: str, name: str, base: Ruleset, catalogue: Catalogue) -> Iterator[Finding]:
    field = f"{field}.name"
    try:
        checks.token(field, name, 100)
    except InvalidInput as fault:
        yield error(FindingCode.BAD_NAME, field, fault.message, name)
        return
    if "/" in name:
        said = "A slash is for references: `provider/model`."
        yield error(FindingCode.BAD_NAME, field, said, name)
    elif is_auto(name.lower()):
        yield error(FindingCode.BAD_NAME, field, f"`{AUTO}` has a meaning already.", name)
    elif catalogue.models(name):
        said = f"It hides the model `{name}`: who asks for that gets the alias."
        yield warning(FindingCode.HIDES_MODEL, field, said, name)
    if name in base.aliases:
        scope = base.origins[alias_field(name)].lower()
        said = f"It takes the place of the {scope} rules' alias of this name."
        yield warning(FindingCode.OVERRIDES_ALIAS, field, said, name)


class Names:
    """All aliases that hold together, and what they lead to."""

    def __init__(self, aliases: Mapping[str, Alias], catalogue: Catalogue) -> None:
        self._aliases = aliases
        self._catalogue = catalogue
        self._lengths: dict[str, int | str] = {}
        self._reached: dict[str, _Ids] = {}

    def ends(self, field: str, name: str) -> Iterator[Finding]:
        """That it reaches something: no circle, and no way longer than the planner follows."""
        length = self._length(name, ())
        if isinstance(length, str):
            said = f"The alias leads into a circle: {length}."
            yield error(FindingCode.CYCLE, field, said, name)
        elif length > DEEPEST:
            yield error(FindingCode.TOO_DEEP, field, f"At most {DEEPEST} aliases in a row.", name)

    def _length(self, name: str, way: tuple[str, ...]) -> int | str:
        """Aliases in a row from this one on, or the circle it leads into."""
        if name in way:
            return _shown((*way[way.index(name) :], name))
        if name not in self._lengths:
            longest = 0
            for target in self._aliases[name].targets:
                if target in self._aliases:
                    found = self._length(target, (*way, name))
                    if isinstance(found, str):
                        self._lengths[name] = found
                        return found
                    longest = max(longest, found)
            self._lengths[name] = 1 + longest
        return self._lengths[name]

    def targets(self, field: str, names: Sequence[str], alias: str) -> Iterator[Finding]:
        yield from _twice(field, names, alias)
        seen: set[uuid.UUID] = set()
        for name in dict.fromkeys(names):
            if is_auto(name):
                yield from _level(field, name, alias)
            elif name not in self._aliases:
                yield from self._model(field, name, alias, seen, "an earlier target")
            seen |= self._reach(name)

    def fallbacks(
        self, field: str, names: Sequence[str], alias: str | None, targets: Sequence[str]
    ) -> Iterator[Finding]:
        """`targets` of their alias come first in any case."""
        yield from _twice(field, names, alias)
        seen: set[uuid.UUID] = set()
        for target in targets:
            seen |= self._reach(target)
        for name in dict.fromkeys(names):
            if is_auto(name):
                said = f"`{name}` is no fallback: name models."
                yield error(FindingCode.UNKNOWN_NAME, field, said, alias)
                continue
            if name in self._aliases and not self._reach(name):
                yield error(FindingCode.UNKNOWN_NAME, field, _unknown(name), alias)
                continue
            yield from self._model(field, name, alias, seen, "what comes before it")
            seen |= self._reach(name)

    def _model(
        self, field: str, name: str, alias: str | None, seen: set[uuid.UUID], by: str
    ) -> Iterator[Finding]:
        reached = self._reach(name)
        if not reached:
            yield error(FindingCode.UNKNOWN_NAME, field, _unknown(name), alias)
        elif not reached & self._catalogue.enabled:
            said = f"`{name}` is switched off, so it serves nothing."
            yield warning(FindingCode.DISABLED, field, said, alias)
        elif reached <= seen:
            said = f"`{name}` is never reached: {by} stands for the same."
            yield warning(FindingCode.SHADOWED, field, said, alias)

    def _reach(self, name: str) -> _Ids:
        """The models it stands for by name; what `auto` finds is not known before a request."""
        if name not in self._aliases:
            return self._catalogue.models(name)
        if name not in self._reached:
            self._reached[name] = frozenset()
            found: set[uuid.UUID] = set()
            for target in self._aliases[name].targets:
                found |= self._reach(target)
            self._reached[name] = frozenset(found)
        return self._reached[name]


def _twice(field: str, names: Sequence[str], alias: str | None) -> Iterator[Finding]:
    if len(set(names)) < len(names):
        yield error(FindingCode.DUPLICATE, field, "A name is given twice.", alias)


def _level(field: str, name: str, alias: str) -> Iterator[Finding]:
    try:
        level_named(name)
    except InvalidInput as fault:
        yield error(FindingCode.UNKNOWN_NAME, field, fault.message, alias)


def _unknown(name: str) -> str:
    return f"`{name[:100]}` is no model, and no alias that leads to one."


def _shown(way: Sequence[str]) -> str:
    parts = way if len(way) <= _MOST_SHOWN else (*way[: _MOST_SHOWN - 2], "…", way[-1])
    return " → ".join(parts)
