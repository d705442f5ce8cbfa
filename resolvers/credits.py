"""What we do when asked whether requests are paid for with credits."""

import strawberry

from auth.policies import Policy
from domain.installation import change_credit_settings, credit_settings
from schema.context import Info
from schema.credits import (
    CreditSettings,
    UpdateCreditSettingsInput,
    UpdateCreditSettingsPayload,
    UpdateCreditSettingsResult,
)
from schema.fields import mutation_field, query_field


@strawberry.type
class CreditsQuery:
    @query_field(
        Policy.SIGNED_IN,
        description="Whether requests are paid for with credits, and at what price.",
        graphql_type=CreditSettings,
    )
    async def credit_settings(self, info: Info) -> CreditSettings:
        async with info.context.read() as session:
            return CreditSettings.of(*await credit_settings(session))


@strawberry.type
class CreditsMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Change how credits are dealt with: from the next request on, everywhere.",
        graphql_type=UpdateCreditSettingsResult,
    )
    async def update_credit_settings(
        self, info: Info, input: UpdateCreditSettingsInput
    ) -> UpdateCreditSettingsPayload:
        mode = None if input.mode is None else input.mode.value
        markup = None if input.markup_basis_points is None else input.markup_basis_points.value
        async with info.context.change() as session:
            found = await change_credit_settings(session, mode, markup, input.expected_version)
        return UpdateCreditSettingsPayload(credit_settings=CreditSettings.of(*found))
