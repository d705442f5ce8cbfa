"""The configuration the data plane runs on: immutable values, swapped as a whole."""

import uuid
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from domain.ruleset import Ruleset, ScopedRules


class ProviderType(StrEnum):
    """Which wire format and defaults an upstream has."""

    OPENROUTER = "OPENROUTER"
    OPENAI = "OPENAI"
    ANTHROPIC = "ANTHROPIC"
    TOGETHER = "TOGETHER"
    HUGGINGFACE = "HUGGINGFACE"
    GOOGLE = "GOOGLE"
    COHERE = "COHERE"
    CUSTOM = "CUSTOM"


class Capability(StrEnum):
    TOOLS = "TOOLS"
    JSON_SCHEMA = "JSON_SCHEMA"
    VISION = "VISION"
    REASONING = "REASONING"
    STREAMING = "STREAMING"
    PREFILL = "PREFILL"
    """Goes on with a last message of the assistant instead of answering it."""


class Modality(StrEnum):
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    PDF = "PDF"
    EMBEDDING = "EMBEDDING"


class KeyOwner(StrEnum):
    SYSTEM = "SYSTEM"
    ORGANIZATION = "ORGANIZATION"
    USER = "USER"


class KeyPolicy(StrEnum):
    """When an own key is used, and when the keys that would serve without it (SYSTEM)."""

    ONLY_MINE = "ONLY_MINE"
    MINE_THEN_SYSTEM = "MINE_THEN_SYSTEM"
    SYSTEM_THEN_MINE = "SYSTEM_THEN_MINE"


class CredentialState(StrEnum):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    NEEDS_KEY = "NEEDS_KEY"


class CreditsMode(StrEnum):
    """OFF: use is metered, not paid. ENFORCED: a request is served when credits cover it."""

    OFF = "OFF"
    ENFORCED = "ENFORCED"


class CreditSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """`markup` is what is charged on top of the cost, in basis points."""

    mode: CreditsMode = CreditsMode.OFF
    markup: int = 0

    @property
    def enforced(self) -> bool:
        return self.mode is CreditsMode.ENFORCED


class Price(msgspec.Struct, frozen=True, gc=False):
    """Pico-USD per token from `valid_from` (Unix seconds) on; None: charged as its parent kind."""

    id: uuid.UUID
    valid_from: float
    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cache_write_1h: int | None = None


class Timeouts(msgspec.Struct, frozen=True, gc=False):
    """Milliseconds. None: derived from what was observed (routing.md 3)."""

    connect_ms: int = 5_000
    first_token_ms: int | None = None
    total_ms: int = 600_000


class Provider(msgspec.Struct, frozen=True):
    """`priority`: a lower number is preferred. `admin_made` providers may use the allow-list."""

    id: uuid.UUID
    slug: str
    type: ProviderType
    base_url: str
    enabled: bool = True
    region: str | None = None
    priority: int = 100
    timeouts: Timeouts = Timeouts()


class Credential(msgspec.Struct, frozen=True):
    """A provider key, sealed; opened only where the upstream request is built.

    `spend_per_month`, nano-USD, bounds what others' keys may cost when an own one is too busy.
    """

    id: uuid.UUID
    provider_id: uuid.UUID
    owner_kind: KeyOwner
    owner_id: uuid.UUID | None
    version: int
    destination: str
    master_key_id: str
    ciphertext: bytes
    weight: int = 1
    state: CredentialState = CredentialState.ACTIVE
    policy: KeyPolicy = KeyPolicy.ONLY_MINE
    spend_per_month: int | None = None


class Deployment(msgspec.Struct, frozen=True):
    """A model as one provider serves it. `prices` are in order of `valid_from`."""

    id: uuid.UUID
    provider: Provider
    name: str
    canonical_name: str
    display_name: str
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: frozenset[Modality] = frozenset({Modality.TEXT})
    output_modalities: frozenset[Modality] = frozenset({Modality.TEXT})
    capabilities: frozenset[Capability] = frozenset({Capability.STREAMING})
    level_pin: str | None = None
    quality: float | None = None
    quality_source: str | None = None
    enabled: bool = True
    prices: tuple[Price, ...] = ()

    @property
    def reference(self) -> str:
        """`provider/model`, as a request names it."""
        return f"{self.provider.slug}/{self.name}"

    def price_at(self, now: float) -> Price | None:
        """The price valid at `now` (Unix seconds); None is unknown, never zero."""
        for price in reversed(self.prices):
            if price.valid_from <= now:
                return price
        return None


class Assumption(msgspec.Struct, frozen=True):
    """What is taken of a model whose quality nobody knows, from those `known`: between `low` and
    `high` it would be an ordinary one."""

    quality: float = 0.5
    low: float = 0.0
    high: float = 1.0
    known: int = 0


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """Everything a routing decision may depend on, as of configuration change `number`.

    `by_reference` maps `provider/model`; `by_name` maps the provider's own names and the
    canonical names to every deployment of that model; `credentials` are by provider.
    `ruleset` is the installation's; `scoped` holds what organisations and people have published,
    by their key (domain/routing/rules.py puts them together). `assumed` is of models whose
    quality nobody knows.
    """

    number: int
    loaded_at: float
    deployments: dict[uuid.UUID, Deployment]
    by_reference: dict[str, Deployment]
    by_name: dict[str, tuple[Deployment, ...]]
    credentials: dict[uuid.UUID, tuple[Credential, ...]]
    ruleset: Ruleset
    assumed: Assumption = Assumption()
    credits: CreditSettings = CreditSettings()
    scoped: dict[uuid.UUID, ScopedRules] = {}

    @cached_property
    def derived(self) -> dict[type, Any]:
        """By type, what follows from these values and is worked out once; no part of them."""
        return {}


EMPTY = Snapshot(0, 0.0, {}, {}, {}, {}, Ruleset())
"""What a process holds before its first load; `number` 0 means not ready."""
