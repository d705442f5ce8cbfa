"""What a person chose for themselves."""

import uuid
from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from db.keyset import Row
from db.queries.settings import settings_by_user
from schema.context import Context
from schema.enums import PowerLevel
from schema.errors import InvalidInputError
from schema.fields import attribute, object_type, result


@object_type(Policy.SELF, description="A person's own choices.")
class UserSettings:
    power_level: PowerLevel = attribute(
        description="Applies to requests that name none; by default the routing rules' own."
    )

    @classmethod
    def of(cls, context: Context, row: Row | None) -> Self:
        default = context.configuration.snapshot.ruleset.default_level
        return cls(power_level=default if row is None else PowerLevel(row.power_level))


async def settings_of(context: Context, user_ids: list[uuid.UUID]) -> list[UserSettings]:
    async with context.read() as session:
        found = await settings_by_user(session, user_ids)
    return [UserSettings.of(context, found.get(key)) for key in user_ids]


@strawberry.input(description="What is left out stays as it is.")
class UpdateSettingsInput:
    power_level: strawberry.Maybe[PowerLevel]


@object_type(Policy.SELF, description="The settings as they are now.")
class UpdateSettingsPayload:
    settings: UserSettings


UpdateSettingsResult = Annotated[
    UpdateSettingsPayload | InvalidInputError,
    result("UpdateSettingsResult"),
]
