"""What a client may say to make and change API keys, and what it hears back."""

from datetime import datetime
from typing import Annotated

import strawberry

from auth.policies import Policy
from schema.apikey import CACHED, ApiKey
from schema.enums import Scope
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.idempotency import idempotency_key

_SHOWN_ONCE = (
    "The key itself. It is shown this once and kept nowhere: store it now. Null when an"
    " idempotency key is used again: if the first answer was lost, rotate the key."
)
_ANY_MODEL = "References, model names and aliases it may name; by default any."


@strawberry.input(description="Its rights lie within those of the sign-in that creates it.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="To tell it from others.")
    scopes: list[Scope] = strawberry.field(
        default_factory=lambda: [Scope.INFERENCE], description="By default INFERENCE alone."
    )
    allowed_models: list[str] | None = strawberry.field(default=None, description=_ANY_MODEL)
    expires_at: datetime | None = strawberry.field(default=None, description="By default never.")
    cache_seconds: int | None = strawberry.field(default=None, description=CACHED)
    organization: strawberry.ID | None = strawberry.field(
        default=None,
        description="Whom it acts for: one that the caller is in; by default the one they act for."
        " Who signed in with a key cannot choose another than its.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A key for somebody else, such as a person made by hand.")
class IssueApiKeyInput:
    user: strawberry.ID
    organization: strawberry.ID | None = strawberry.field(
        default=None, description="Whom it acts for: one that the person is in; by default none."
    )
    name: str = strawberry.field(description="To tell it from others.")
    scopes: list[Scope] = strawberry.field(
        default_factory=lambda: [Scope.INFERENCE], description="By default INFERENCE alone."
    )
    allowed_models: list[str] | None = strawberry.field(default=None, description=_ANY_MODEL)
    expires_at: datetime | None = strawberry.field(default=None, description="By default never.")
    cache_seconds: int | None = strawberry.field(default=None, description=CACHED)
    idempotency_key: str | None = idempotency_key()


@strawberry.input(
    description="What is left out stays as it is. What is given lies within the rights of the"
    " caller's sign-in."
)
class UpdateApiKeyInput:
    id: strawberry.ID
    name: strawberry.Maybe[str]
    scopes: strawberry.Maybe[list[Scope]]
    allowed_models: strawberry.Maybe[list[str] | None] = strawberry.field(
        default=None, description="Null: any."
    )
    expires_at: strawberry.Maybe[datetime | None] = strawberry.field(
        default=None, description="Null: never."
    )
    cache_seconds: strawberry.Maybe[int | None] = strawberry.field(default=None, description=CACHED)


@strawberry.input(description="Which API key gets another text.")
class RotateApiKeyInput:
    id: strawberry.ID
    overlap_seconds: int = strawberry.field(
        default=86_400,
        description="How long the text before goes on: 0 (ends now) to 2,592,000 (30 days).",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Which API key to revoke.")
class RevokeApiKeyInput:
    id: strawberry.ID


@object_type(Policy.SELF, description="The new key.")
class CreateApiKeyPayload:
    api_key: ApiKey
    secret: str | None = attribute(description=_SHOWN_ONCE)


@object_type(Policy.ADMIN, description="The new key.")
class IssueApiKeyPayload:
    api_key: ApiKey
    secret: str | None = attribute(description=_SHOWN_ONCE)


@object_type(Policy.SELF, description="The key as it is now.")
class UpdateApiKeyPayload:
    api_key: ApiKey


@object_type(Policy.SELF, description="The key under its new text.")
class RotateApiKeyPayload:
    api_key: ApiKey
    secret: str | None = attribute(description=_SHOWN_ONCE)


@object_type(Policy.SELF, description="The key, refused everywhere within three seconds.")
class RevokeApiKeyPayload:
    api_key: ApiKey


CreateApiKeyResult = Annotated[
    CreateApiKeyPayload | InvalidInputError | NotFoundError | ConflictError,
    result("CreateApiKeyResult"),
]

IssueApiKeyResult = Annotated[
    IssueApiKeyPayload | InvalidInputError | NotFoundError | ConflictError,
    result("IssueApiKeyResult"),
]

UpdateApiKeyResult = Annotated[
    UpdateApiKeyPayload | InvalidInputError | NotFoundError,
    result("UpdateApiKeyResult"),
]

RotateApiKeyResult = Annotated[
    RotateApiKeyPayload | InvalidInputError | NotFoundError | ConflictError,
    result("RotateApiKeyResult"),
]

RevokeApiKeyResult = Annotated[
    RevokeApiKeyPayload | NotFoundError | ConflictError,
    result("RevokeApiKeyResult"),
]
