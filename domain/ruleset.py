"""What a routing rule set says: pure values, shared by the rules, the snapshot and the planner."""

from enum import StrEnum

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
    DRAFT = "DRAFT"
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
    references tried, in order, after the chosen candidates.
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

    `versions` names the published version of each scope that took part.
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
    anchors: Anchors = ANCHORS
    versions: dict[RuleScope, int] = {}
