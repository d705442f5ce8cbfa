"""Whether requests are paid for with credits, and at what price."""

from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from domain.credits import Cover
from domain.snapshot import CreditSettings as Settings
from schema.enums import CreditsMode, WalletKind
from schema.errors import ConflictError, InvalidInputError
from schema.fields import attribute, object_type, result
from schema.scalars import USD


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


@object_type(Policy.SELF, description="What bound a request's money.")
class RouteCredits:
    mode: CreditsMode
    markup_basis_points: int
    paid_by: WalletKind | None = attribute(
        description="Whose wallet pays; null where nothing is charged."
    )
    worst_case: USD | None = attribute(
        description="The most it may cost over the candidates on the house's keys; null when there"
        " is none."
    )
    held: USD | None = attribute(
        description="What was set aside for it; null when nothing was, or nothing was sent."
    )

    @classmethod
    def of(cls, cover: Cover) -> Self:
        return cls(
            mode=cover.settings.mode,
            markup_basis_points=cover.settings.markup,
            paid_by=cover.wallet,
            worst_case=None if cover.worst is None else USD(cover.worst),
            held=None if cover.held is None else USD(cover.held),
        )
