"""The closed sets of the domain as GraphQL enums: registered once, here, and imported from here."""

import strawberry

from domain.audit import AuditAction, AuditObject
from domain.credits import WalletKind
from domain.decision import Basis, OutputBasis, Reason, Selection
from domain.delivery import DeliveryState
from domain.discovery import DiscoveryKind
from domain.download import ExportFormat
from domain.event import EventType
from domain.health import Health as Circuit
from domain.health import Warmth
from domain.membership import MemberOrigin
from domain.principal import MemberRole, Role, Scope
from domain.routing.explain import Decisive, Dimension
from domain.routing.flips import Lever
from domain.ruleset import PowerLevel, RuleScope, RuleState, Strategy
from domain.snapshot import (
    Capability,
    CredentialState,
    CreditsMode,
    KeyOwner,
    KeyPolicy,
    Modality,
    ProviderType,
)
from domain.usage import UsageSource, UsageStatus

__all__ = [
    "AuditAction",
    "AuditObject",
    "Basis",
    "Capability",
    "Circuit",
    "CredentialState",
    "CreditsMode",
    "Decisive",
    "DeliveryState",
    "Dimension",
    "DiscoveryKind",
    "EventType",
    "ExportFormat",
    "KeyOwner",
    "KeyPolicy",
    "Lever",
    "MemberOrigin",
    "MemberRole",
    "Modality",
    "OutputBasis",
    "PowerLevel",
    "ProviderType",
    "Reason",
    "Role",
    "RuleScope",
    "RuleState",
    "Scope",
    "Selection",
    "Strategy",
    "UsageSource",
    "UsageStatus",
    "WalletKind",
    "Warmth",
]

strawberry.enum(
    ProviderType,
    description="Which wire format and default address an upstream has.",
)
strawberry.enum(Capability, description="What a model can do beyond plain text.")
strawberry.enum(Modality, description="A kind of content a model takes or gives.")
strawberry.enum(KeyOwner, description="Whose provider key it is.")
strawberry.enum(
    KeyPolicy,
    description=(
        "When an own key is used. SYSTEM is whatever would serve without it: the organisation's"
        " key where it has one, else the installation's. ONLY_MINE: never another's."
        " MINE_THEN_SYSTEM: another's only when the own one is at its limit (429), before the"
        " answer has begun; an own key that is refused is an error. SYSTEM_THEN_MINE: the own one"
        " when the other is at its limit or refused."
    ),
)
strawberry.enum(
    CredentialState,
    description=(
        "Whether a key is used. NEEDS_KEY: the provider's address changed, so it must be given"
        " anew."
    ),
)
strawberry.enum(
    PowerLevel,
    description=(
        "Bands of blended price per 1M tokens (3 input : 1 output). A level never serves anything"
        " dearer."
    ),
)
strawberry.enum(Role, description="A person's role in the installation.")
strawberry.enum(MemberRole, description="A person's role in an organisation.")
strawberry.enum(
    MemberOrigin,
    description="TOKEN: it follows the groups of the person's sign-in. MANUAL: it stays until it is"
    " taken away by hand.",
)
strawberry.enum(Scope, description="What a credential may be used for.")
strawberry.enum(Strategy, description="How eligible candidates are ranked.")
strawberry.enum(RuleScope, description="Whom a rule set governs.")
strawberry.enum(RuleState, description="LIVE is in force; RETIRED was.")
strawberry.enum(UsageSource, description="Where token counts come from.")
strawberry.enum(
    UsageStatus,
    description=(
        "How a request ended. CUT: the upstream died mid-answer. CANCELLED: the client went away."
        " RECOVERED: settled for a process that died. UNKNOWN: of such a process, nothing came"
        " back."
    ),
)
strawberry.enum(Selection, description="What the requested model turned out to be.")
strawberry.enum(Reason, name="ExclusionCode", description="Why a candidate may not serve.")
strawberry.enum(
    Basis,
    name="QualityBasis",
    description="Where a quality figure comes from. BENCHMARK: its source is named. USER: entered"
    " here. ASSUMED: nobody knows. CATALOGUE: known; of decisions that did not say more.",
)
strawberry.enum(OutputBasis, description="Where the expected length of an answer comes from.")
strawberry.enum(
    Warmth, description="WARM: enough samples to speak for itself. COLD: leaning on a prior."
)
strawberry.enum(
    Circuit,
    name="CircuitState",
    description="A deployment's health; OPEN and HALF_OPEN are its circuit breaker's.",
)
strawberry.enum(Dimension, name="ScoreDimension", description="What a candidate is scored by.")
strawberry.enum(
    Decisive,
    name="DecisiveTerm",
    description=(
        "What put the winner before the runner-up. COST: dollars of this request. PRICE: dollars"
        " for each token of it, by which weighted scores go; its dollars may be more where its"
        " answer is expected to be longer. IDENTITY: all else was equal. INCUMBENT: it"
        " served before and is not clearly beaten. SESSION: it keeps the conversation."
    ),
)
strawberry.enum(
    Lever,
    name="FlipLever",
    description="What would have to change: a weight of the rules, or a candidate's figures.",
)
strawberry.enum(
    AuditAction,
    description=(
        "What was done; DISABLE: Fairlead took a refused key out of use, ENABLE: it is taken again."
    ),
)
strawberry.enum(
    DiscoveryKind, description="What became of a provider's model since it was written down here."
)
strawberry.enum(
    ExportFormat,
    description="CSV: a table with a first line of names. JSON_LINES: one object a line.",
)
strawberry.enum(AuditObject, description="What it was done to.")
strawberry.enum(
    EventType,
    name="WebhookEventType",
    description=(
        "What a webhook can hear of; in the body its name is written small, as"
        " `credential.disabled`. CREDENTIAL_DISABLED: a provider's key was refused, or is not used"
        " any more, CREDENTIAL_RESTORED: one that was refused is taken again. CREDITS_LOW: a wallet"
        " is down to a tenth of what it had when it was last paid into, CREDITS_EXHAUSTED: nothing"
        " is left, or too little for a request. SPEND_THRESHOLD: 50, 80 or 100 % of the spending"
        " limit of a key, a person or an organisation are used. WEBHOOK_TEST: only when asked for"
        " with `testWebhook`."
    ),
)
strawberry.enum(
    DeliveryState,
    name="WebhookDeliveryState",
    description="PENDING: due now or after a wait. FAILED: given up; it can be replayed.",
)
strawberry.enum(
    CreditsMode,
    description="OFF: use is metered, not paid. ENFORCED: a request on the house's provider keys"
    " is served when its wallet covers the worst case, and charged what it costs.",
)
strawberry.enum(WalletKind, description="Whose wallet it is.")
