"""What we do when a person chooses something for themselves."""

import strawberry

from auth.policies import Policy
from domain.settings import change_settings
from schema.context import Info
from schema.fields import mutation_field
from schema.inputs import given
from schema.settings import (
    UpdateSettingsInput,
    UpdateSettingsPayload,
    UpdateSettingsResult,
    UserSettings,
    settings_of,
)


@strawberry.type
class SettingsMutation:
    @mutation_field(
        Policy.SELF,
        description="Change the caller's own settings.",
        graphql_type=UpdateSettingsResult,
    )
    async def update_settings(
        self, info: Info, input: UpdateSettingsInput
    ) -> UpdateSettingsPayload:
        caller = info.context.caller
        values = given(input, "power_level", "preferences")
        if not values:
            [settings] = await settings_of(info.context, [caller.user_id])
            return UpdateSettingsPayload(settings=settings)
        async with info.context.change() as session:
            row = await change_settings(session, caller, values)
        return UpdateSettingsPayload(settings=UserSettings.of(info.context, row, caller.user_id))
