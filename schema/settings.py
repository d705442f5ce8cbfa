"""What a person chose for themselves."""

import uuid
from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from db.keyset import Row
from db.queries.settings import settings_by_user
from domain.routing import ruleset_of
from schema.context import Context
from schema.enums import PowerLevel
from schema.errors import InvalidInputError
from schema.fields import attribute, object_type, result
from schema.scalars import JSON


@object_type(Policy.SELF, description="A person's own choices.")
class UserSettings:
    power_level: PowerLevel = attribute(
        description="Applies to requests that name none; by default the routing rules' own."
    )
    preferences: JSON = attribute(
        description="A JSON object of the web app's and other clients'; Fairlead only keeps it."
    )

    @classmethod
    def of(cls, context: Context, row: Row | None, user_id: uuid.UUID) -> Self:
        chosen = None if row is None else row.power_level
        caller, snapshot = context.caller, context.configuration.snapshot
        organization = caller.organization_id if user_id == caller.user_id else None
        default = ruleset_of(snapshot, organization, user_id).default_level
        return cls(
            power_level=default if chosen is None else PowerLevel(chosen),
            preferences={} if row is None else row.preferences,
        )


async def settings_of(context: Context, user_ids: list[uuid.UUID]) -> list[UserSettings]:
    async with context.read() as session:
        found = await settings_by_user(session, user_ids)
    return [UserSettings.of(context, found.get(key), key) for key in user_ids]


@strawberry.input(description="What is left out stays as it is.")
class UpdateSettingsInput:
    power_level: strawberry.Maybe[PowerLevel | None] = strawberry.field(
        default=None, description="Null: the routing rules' own."
    )
    preferences: strawberry.Maybe[JSON] = strawberry.field(
        default=None, description="A JSON object in place of the one before, at most 4 KiB."
    )


@object_type(Policy.SELF, description="The settings as they are now.")
class UpdateSettingsPayload:
    settings: UserSettings


UpdateSettingsResult = Annotated[
    UpdateSettingsPayload | InvalidInputError,
    result("UpdateSettingsResult"),
]
