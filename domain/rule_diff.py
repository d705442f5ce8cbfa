"""What differs between two rule sets, field by field, with where each value comes from."""

from collections.abc import Iterator
from typing import Any

import msgspec

from domain.ruleset import ALIASES, RuleBody, RuleScope, Ruleset, alias_field


class Side(msgspec.Struct, frozen=True):
    """A value and the scope that decided it, None for a default; `version` 0 is a draft's."""

    value: Any
    scope: RuleScope | None
    version: int | None


class Difference(msgspec.Struct, frozen=True):
    """`alias` names the one that differs; an absent alias has the value None on that side.

    A field whose value is the same but decided elsewhere differs too: it would no longer follow.
    """

    field: str
    alias: str | None
    old: Side
    new: Side


def differences(old: Ruleset, new: Ruleset) -> list[Difference]:
    return [one for one in _pairs(old, new) if _decided(one.old) != _decided(one.new)]


def _decided(side: Side) -> tuple[Any, RuleScope | None]:
    return side.value, side.scope


def _pairs(old: Ruleset, new: Ruleset) -> Iterator[Difference]:
    for field in RuleBody.__struct_fields__:
        if field != ALIASES:
            yield Difference(
                field,
                None,
                side(old, field, getattr(old, field)),
                side(new, field, getattr(new, field)),
            )
    for name in sorted({*old.aliases, *new.aliases}):
        origin = alias_field(name)
        yield Difference(
            ALIASES,
            name,
            side(old, origin, old.aliases.get(name)),
            side(new, origin, new.aliases.get(name)),
        )


def side(rules: Ruleset, origin: str, value: Any) -> Side:
    scope = rules.origins.get(origin)
    return Side(value, scope, None if scope is None else rules.versions[scope])
