"""What a routing rule set says: pure values, shared by the rules, the snapshot and the planner."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Strategy(StrEnum):
    """How eligible candidates are ranked (routing.md 2)."""

    COST = "COST"
    LATENCY = "LATENCY"
    BALANCED = "BALANCED"
    CUSTOM = "CUSTOM"


class PowerLevel(StrEnum):
    """Bands of blended price (3 input : 1 output). A level never serves anything dearer."""

    ECO = "ECO"
    BALANCED = "BALANCED"
    PRECISION = "PRECISION"


class RuleScope(StrEnum):
    """Whom a rule set governs; a narrower scope overrides what it sets."""

    GLOBAL = "GLOBAL"
    ORGANIZATION = "ORGANIZATION"
    USER = "USER"


class RuleState(StrEnum):
    LIVE = "LIVE"
    RETIRED = "RETIRED"


class Weights(msgspec.Struct, frozen=True):
    """Basis points; they sum to 10,000."""

    cost: int
    latency: int
    quality: int


BALANCED_WEIGHTS = Weights(cost=4000, latency=4000, quality=2000)


class Alias(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name for a set of models.

    `targets` are model references (`provider/model`), bare names, other aliases, or `auto…`.
    `fallbacks` are tried in order after the targets. None inherits the rule set's strategy.
    """

    targets: tuple[str, ...]
    fallbacks: tuple[str, ...] = ()
    strategy: Strategy | None = None


class RuleBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one scope sets; None or absent means inherited.

    Prices are nano-USD per 1M tokens, blended 3 input : 1 output. `fallbacks` are model
    references tried, in order, after the chosen candidates. `regions` are those of providers that
    may serve; `content_filter_fallback` lets others answer what a content filter refused.
    """

    strategy: Strategy | None = None
    weights: Weights | None = None
    aliases: dict[str, Alias] = {}
    fallbacks: tuple[str, ...] | None = None
    default_level: PowerLevel | None = None
    eco_below: int | None = None
    precision_from: int | None = None
    max_attempts: int | None = None
    priority_tiers: bool | None = None
    regions: tuple[str, ...] | None = None
    content_filter_fallback: bool | None = None


ALIASES = "aliases"

SETTABLE: Mapping[RuleScope, frozenset[str]] = {
    RuleScope.GLOBAL: frozenset(RuleBody.__struct_fields__),
    RuleScope.ORGANIZATION: frozenset(RuleBody.__struct_fields__) - {"eco_below", "precision_from"},
    RuleScope.USER: frozenset({"strategy", "weights", "max_attempts", "regions"}),
}
"""What each scope may decide. Price bands are the installation's alone: a level means the same to
everybody. People have no aliases, because a key that may use an alias may use what it reaches."""


class Anchors(msgspec.Struct, frozen=True):
    """Fixed ends of the three scales; versioned, and recorded in every decision.

    Price in $ per 1M tokens, latency in seconds, quality in 0..1.
    """

    version: int = 1
    price_best: float = 0.05
    price_worst: float = 50.0
    latency_best: float = 0.3
    latency_worst: float = 30.0
    quality_worst: float = 0.40
    quality_best: float = 0.95


ANCHORS = Anchors()


class Ruleset(msgspec.Struct, frozen=True):
    """A rule set with every field decided: defaults, overridden scope by scope.

    `regions` None is any. `versions` names the published version of each scope that took part,
    `origins` the scope that decided a field or, as `aliases.<name>`, an alias; absent: a default.
    """

    strategy: Strategy = Strategy.BALANCED
    weights: Weights = BALANCED_WEIGHTS
    aliases: dict[str, Alias] = {}
    fallbacks: tuple[str, ...] = ()
    default_level: PowerLevel = PowerLevel.BALANCED
    eco_below: int = 500_000_000
    precision_from: int = 10_000_000_000
    max_attempts: int = 3
    priority_tiers: bool = False
    regions: tuple[str, ...] | None = None
    content_filter_fallback: bool = False
    anchors: Anchors = ANCHORS
    versions: dict[RuleScope, int] = {}
    origins: dict[str, RuleScope] = {}


class ScopedRules(msgspec.Struct, frozen=True):
    """What an organisation or a person has published."""

    scope: RuleScope
    version: int
    body: RuleBody


def alias_field(name: str) -> str:
    """An alias in `Ruleset.origins`."""
    return f"{ALIASES}.{name}"


def override(base: Ruleset, body: RuleBody, scope: RuleScope, version: int) -> Ruleset:
    """`base` with what `body` sets; its aliases join and replace those of the same name.

    A scope below GLOBAL only narrows what it was given: it sets what is SETTABLE for it, makes
    fewer attempts, and allows fewer regions.
    """
    decided: dict[str, Any] = {
        name: value
        for name in RuleBody.__struct_fields__
        if name != ALIASES
        and name in SETTABLE[scope]
        and (value := getattr(body, name)) is not None
    }
    if scope is not RuleScope.GLOBAL:
        _narrow(base, decided)
    origins = {**base.origins, **dict.fromkeys(decided, scope)}
    if ALIASES in SETTABLE[scope] and body.aliases:
        decided[ALIASES] = {**base.aliases, **body.aliases}
        origins |= {alias_field(name): scope for name in body.aliases}
    return msgspec.structs.replace(
        base, **decided, versions={**base.versions, scope: version}, origins=origins
    )


def _narrow(base: Ruleset, decided: dict[str, Any]) -> None:
    if "max_attempts" in decided and decided["max_attempts"] >= base.max_attempts:
        del decided["max_attempts"]
    if "regions" in decided and base.regions is not None:
        decided["regions"] = tuple(one for one in decided["regions"] if one in base.regions)
