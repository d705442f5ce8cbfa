"""How long single requests are kept, and what a client may say about it."""

from typing import Annotated, Self

import strawberry

from auth.policies import Policy
from domain.retention import Retention
from schema.errors import ConflictError, InvalidInputError
from schema.fields import attribute, object_type, result


@object_type(Policy.ADMIN, description="How long single requests are kept. Their sums stay.")
class UsageRetention:
    days: int | None = attribute(
        description="So many UTC days, today included; null: all of them. Older ones go whole, with"
        " their decisions, within the hour."
    )
    version: int = attribute(description="For `expectedVersion`.")

    @classmethod
    def of(cls, retention: Retention, version: int) -> Self:
        return cls(days=retention.days, version=version)


@strawberry.input(description="How long single requests are to be kept.")
class SetUsageRetentionInput:
    days: int | None = strawberry.field(description="1 to 3,650, or null to keep all of them.")
    expected_version: int | None = strawberry.field(
        default=None, description="The `version` you read; a ConflictError when it has moved on."
    )


@object_type(Policy.ADMIN, description="The retention as it is now.")
class SetUsageRetentionPayload:
    usage_retention: UsageRetention


SetUsageRetentionResult = Annotated[
    SetUsageRetentionPayload | InvalidInputError | ConflictError,
    result("SetUsageRetentionResult"),
]
