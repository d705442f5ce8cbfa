"""What a check of routing rules may find, and what of the catalogue it needs to know."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Severity(StrEnum):
    """ERROR keeps rules from being published, WARNING does not."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class FindingCode(StrEnum):
    """What is the matter; stable, for programs."""

    NOT_IN_SCOPE = "NOT_IN_SCOPE"
    BEYOND_SCOPE = "BEYOND_SCOPE"
    WEIGHTS = "WEIGHTS"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    LEVEL_BANDS = "LEVEL_BANDS"
    BAD_NAME = "BAD_NAME"
    DUPLICATE = "DUPLICATE"
    EMPTY = "EMPTY"
    UNKNOWN_NAME = "UNKNOWN_NAME"
    CYCLE = "CYCLE"
    TOO_DEEP = "TOO_DEEP"
    HIDES_MODEL = "HIDES_MODEL"
    OVERRIDES_ALIAS = "OVERRIDES_ALIAS"
    SHADOWED = "SHADOWED"
    UNUSED = "UNUSED"
    DISABLED = "DISABLED"
    UNKNOWN_REGION = "UNKNOWN_REGION"
    BREAKS_ORGANIZATION = "BREAKS_ORGANIZATION"


class Finding(msgspec.Struct, frozen=True):
    """`field` is the input field in camelCase, dots lead into nested inputs; `alias` names the
    alias it is about."""

    severity: Severity
    code: FindingCode
    field: str
    message: str
    alias: str | None = None


def error(code: FindingCode, field: str, message: str, alias: str | None = None) -> Finding:
    return Finding(Severity.ERROR, code, field, message, alias)


def warning(code: FindingCode, field: str, message: str, alias: str | None = None) -> Finding:
    return Finding(Severity.WARNING, code, field, message, alias)


class Catalogue(msgspec.Struct, frozen=True):
    """The models behind names, as far as the author may know of them, and providers' regions.

    `references` and `bare` give the models of a name, `enabled` those that are switched on.
    """

    references: dict[str, uuid.UUID]
    bare: dict[str, frozenset[uuid.UUID]]
    enabled: frozenset[uuid.UUID]
    regions: frozenset[str]

    def models(self, name: str) -> frozenset[uuid.UUID]:
        """Empty for a name that is no model's."""
        if name in self.references:
            return frozenset({self.references[name]})
        return self.bare.get(name, frozenset())


def catalogue_of(rows: Iterable[Any], regions: Iterable[str]) -> Catalogue:
    """`rows` as `db.queries.rule.models_named` gives them."""
    references: dict[str, uuid.UUID] = {}
    bare: Mapping[str, set[uuid.UUID]] = defaultdict(set)
    enabled = set()
    for row in rows:
        references[row.reference] = row.id
        bare[row.name].add(row.id)
        bare[row.canonical_name].add(row.id)
        if row.enabled:
            enabled.add(row.id)
    return Catalogue(
        references,
        {name: frozenset(ids) for name, ids in bare.items()},
        frozenset(enabled),
        frozenset(regions),
    )
