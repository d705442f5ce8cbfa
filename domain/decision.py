"""The record of one routing decision: enough to explain it exactly, small enough to keep.

Everything that follows from what is stored (terms, totals, margin, decisive term, flip
conditions) is rendered on read by `domain.routing.explain`, so a record is about 1 kB.
"""

import uuid
from enum import StrEnum

import msgspec

from domain.credits import Cover
from domain.health import Health, Warmth
from domain.ruleset import Anchors, PowerLevel, RuleScope, Strategy, Weights
from domain.snapshot import KeyOwner

KEPT = 8
"""Candidates a stored decision holds; the rest are counted."""


class Reason(StrEnum):
    """Why a candidate may not serve a request."""

    DISABLED = "DISABLED"
    NOT_ALLOWED = "NOT_ALLOWED"
    NO_KEY = "NO_KEY"
    KEY_LIMITED = "KEY_LIMITED"
    CAPABILITY = "CAPABILITY"
    MODALITY = "MODALITY"
    REGION = "REGION"
    CONTEXT_WINDOW = "CONTEXT_WINDOW"
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    PRICE_UNKNOWN = "PRICE_UNKNOWN"
    LEVEL = "LEVEL"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"


REASONS = tuple(Reason)
"""In their order; to go through the class itself costs more than to look at a candidate."""


class Basis(StrEnum):
    """Where a quality figure comes from; CATALOGUE is only in decisions that did not say more."""

    CATALOGUE = "CATALOGUE"
    BENCHMARK = "BENCHMARK"
    USER = "USER"
    ASSUMED = "ASSUMED"


class OutputBasis(StrEnum):
    """Where the expected length of an answer comes from."""

    OBSERVED = "OBSERVED"
    ASSUMED = "ASSUMED"


class Selection(StrEnum):
    """What the request's `model` turned out to be."""

    REFERENCE = "REFERENCE"
    NAME = "NAME"
    ALIAS = "ALIAS"
    AUTO = "AUTO"


class Exclusion(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={"reason": "r", "needed": "n", "available": "a", "detail": "d"},
):
    """One reason, with its numbers: tokens for a window, Unix seconds for a time."""

    reason: Reason
    needed: int | None = None
    available: int | None = None
    detail: str | None = None


class CandidateRecord(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "deployment_id": "d",
        "reference": "m",
        "canonical_name": "cn",
        "expected_cost": "c",
        "output": "o",
        "output_basis": "ob",
        "ttft": "t",
        "ttft_p95": "t95",
        "speed": "v",
        "samples": "n",
        "warmth": "w",
        "age": "a",
        "quality": "q",
        "quality_low": "ql",
        "quality_high": "qh",
        "quality_samples": "qn",
        "basis": "qb",
        "level": "l",
        "pinned": "pin",
        "list_price": "p",
        "priority": "pr",
        "health": "h",
        "fallback": "f",
        "exempt": "e",
        "key_owner": "k",
        "exclusions": "x",
    },
):
    """A candidate as the decision saw it. Times in seconds, `speed` in tokens per second.

    `expected_cost` is nano-USD for this request and `list_price` nano-USD per 1M tokens, blended
    3:1; both None when the price is unknown. `output` is the expected length of the answer in
    tokens, `age` the seconds since the deployment was last observed. `quality_low` and `_high` are
    None where nobody knows how sure the figure is; `quality_samples` is of how many models.
    `canonical_name` is None where it is the reference's own model name. `fallback` marks one that
    came from a fallback list only, `exempt` one that an alias names beside a level. `key_owner` is
    whose key would be tried first, None where none is needed or there is none. Without exclusions
    it is eligible.
    """

    deployment_id: uuid.UUID
    reference: str
    canonical_name: str | None = None
    expected_cost: int | None = None
    output: int = 0
    output_basis: OutputBasis = OutputBasis.ASSUMED
    ttft: float = 0.0
    ttft_p95: float | None = None
    speed: float = 0.0
    samples: int = 0
    warmth: Warmth = Warmth.COLD
    age: int | None = None
    quality: float = 0.0
    quality_low: float | None = None
    quality_high: float | None = None
    quality_samples: int | None = None
    basis: Basis = Basis.CATALOGUE
    level: PowerLevel | None = None
    pinned: bool = False
    list_price: int | None = None
    priority: int = 100
    health: Health = Health.UNKNOWN
    fallback: bool = False
    exempt: bool = False
    key_owner: KeyOwner | None = None
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def eligible(self) -> bool:
        return not self.exclusions


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts the decision used.

    `level` was asked for, `served_level` is what it came to. `session` is a digest.
    """

    model: str
    input_tokens: int
    input_estimated: bool = False
    max_tokens: int | None = None
    stream: bool = False
    level: PowerLevel | None = None
    served_level: PowerLevel | None = None
    task: str | None = None
    session: str | None = None


class Rules(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the rules said. Level boundaries in nano-USD per 1M tokens, blended 3:1.

    `origins` are the fields each scope decided, an alias as `aliases.<name>`; `said` the alias that
    decided a field in the rules' place. `holder` is a digest of whose rules of their own took part.
    """

    versions: dict[RuleScope, int]
    strategy: Strategy
    weights: Weights
    anchors: Anchors
    eco_below: int
    precision_from: int
    priority_tiers: bool = False
    max_attempts: int = 3
    regions: tuple[str, ...] | None = None
    content_filter_fallback: bool = False
    origins: dict[RuleScope, tuple[str, ...]] = {}
    said: dict[str, str] = {}
    holder: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which candidates there were, what was known of them, and the order they are tried in.

    `candidates` holds the eligible by rank, then fallbacks, then the excluded; `others` counts
    those not kept and `excluded` every exclusion by reason. `order` names deployments, the winner
    first. `chain` is the aliases followed from the requested name. `incumbent` is whom the cell
    had, whether it stayed or not. `last_resort`: nothing but circuits or limits stood against
    the one that is tried. `live` is the number of the view, `live_age` its age in seconds.
    `credits` is what bound its money, None where nothing did.
    """

    id: uuid.UUID
    at: float
    snapshot: int
    live: int
    live_age: float
    request: Request
    selection: Selection
    rules: Rules
    chain: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    candidates: tuple[CandidateRecord, ...] = ()
    others: int = 0
    excluded: dict[Reason, int] = {}
    order: tuple[uuid.UUID, ...] = ()
    incumbent: uuid.UUID | None = None
    last_resort: bool = False
    refusal: str | None = None
    credits: Cover | None = None

    @property
    def winner(self) -> CandidateRecord | None:
        if not self.order:
            return None
        return next((c for c in self.candidates if c.deployment_id == self.order[0]), None)
