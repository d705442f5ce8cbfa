"""The closed sets of the domain as GraphQL enums: registered once, here, and imported from here."""

import strawberry

from domain.principal import MemberRole, Role, Scope
from domain.ruleset import PowerLevel
from domain.snapshot import Capability, CredentialState, KeyOwner, Modality, ProviderType

__all__ = [
    "Capability",
    "CredentialState",
    "KeyOwner",
    "MemberRole",
    "Modality",
    "PowerLevel",
    "ProviderType",
    "Role",
    "Scope",
]

strawberry.enum(
    ProviderType,
    description="Which wire format and default address an upstream has.",
)
strawberry.enum(Capability, description="What a model can do beyond plain text.")
strawberry.enum(Modality, description="A kind of content a model takes or gives.")
strawberry.enum(KeyOwner, description="Whose provider key it is.")
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
strawberry.enum(Scope, description="What a credential may be used for.")
