"""Whether requests are paid for with credits, and at what price."""

from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from domain.snapshot import CreditSettings as Settings
from domain.snapshot import CreditsMode
from schema.errors import ConflictError, InvalidInputError
from schema.fields import attribute, object_type, result

strawberry.enum(
    CreditsMode,
    description="OFF: use is metered, not paid. ENFORCED: a request on the house's provider keys"
    " is served when its wallet covers the worst case, and charged what it costs.",
)


@object_type(Policy.SIGNED_IN, description="How the installation deals with credits.")
class CreditSettings:
    mode: CreditsMode
    markup_basis_points: int = attribute(
        description="What is charged on top of a provider's price: 1,000 are 10 %."
    )
    version: int = attribute(description="For `expectedVersion`.")

    @classmethod
    def of(cls, settings: Settings, version: int) -> Self:
        return cls(mode=settings.mode, markup_basis_points=settings.markup, version=version)


@strawberry.input(description="What is left out stays as it is.")
class UpdateCreditSettingsInput:
    mode: strawberry.Maybe[CreditsMode]
    markup_basis_points: strawberry.Maybe[int]
    expected_version: int | None = strawberry.field(
        default=None, description="The `version` you read; a ConflictError when it has moved on."
    )


@object_type(Policy.SIGNED_IN, description="The settings as they are now.")
class UpdateCreditSettingsPayload:
    credit_settings: CreditSettings


UpdateCreditSettingsResult = Annotated[
    UpdateCreditSettingsPayload | InvalidInputError | ConflictError,
    result("UpdateCreditSettingsResult"),
]
