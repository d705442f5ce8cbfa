"""What an administrator may say to change people, and what they hear back."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from schema.enums import Role
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import object_type, result
from schema.idempotency import idempotency_key
from schema.user import User


@strawberry.input(
    description="A person whom no identity provider vouches for; they sign in with a key that an"
    " administrator issues."
)
class CreateUserInput:
    name: str
    email: str | None = None
    role: Role = Role.USER
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="What is left out stays as it is. Name, address and role of people whom an identity"
    " provider vouches for are changed there."
)
class UpdateUserInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when somebody else has changed it since."
    )
    name: strawberry.Maybe[str]
    email: strawberry.Maybe[str | None]
    role: strawberry.Maybe[Role]
    enabled: strawberry.Maybe[bool]


@object_type(Policy.ADMIN, description="The person as they are now.")
class CreateUserPayload:
    user: User


@object_type(Policy.ADMIN, description="The person as they are now.")
class UpdateUserPayload:
    user: User


CreateUserResult = Annotated[
    CreateUserPayload | InvalidInputError | ConflictError, result("CreateUserResult")
]

UpdateUserResult = Annotated[
    UpdateUserPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateUserResult"),
]
