"""What a client may say to change organisations, and what it hears back."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import object_type, result
from schema.idempotency import idempotency_key
from schema.organization import Organization


@strawberry.input(description="An organisation to make.")
class CreateOrganizationInput:
    slug: str = strawberry.field(description="1-40 of a-z, 0-9 and inner hyphens.")
    name: str | None = strawberry.field(default=None, description="By default the slug.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What is left out stays as it is.")
class UpdateOrganizationInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when somebody else has changed it since."
    )
    slug: strawberry.Maybe[str]
    name: strawberry.Maybe[str]


@strawberry.input(description="Which organisation to delete.")
class DeleteOrganizationInput:
    id: strawberry.ID
    force: bool = strawberry.field(
        default=False, description="With the keys and rules that belong to it."
    )


@object_type(Policy.ADMIN, description="The organisation as it is now.")
class CreateOrganizationPayload:
    organization: Organization


@object_type(Policy.ADMIN, description="The organisation as it is now.")
class UpdateOrganizationPayload:
    organization: Organization


@object_type(Policy.ADMIN, description="What was deleted.")
class DeleteOrganizationPayload:
    deleted_id: strawberry.ID


CreateOrganizationResult = Annotated[
    CreateOrganizationPayload | InvalidInputError | ConflictError,
    result("CreateOrganizationResult"),
]

UpdateOrganizationResult = Annotated[
    UpdateOrganizationPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateOrganizationResult"),
]

DeleteOrganizationResult = Annotated[
    DeleteOrganizationPayload | NotFoundError | ConflictError,
    result("DeleteOrganizationResult"),
]
