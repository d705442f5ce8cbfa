"""What a client may say to change providers, and what it hears back."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from schema.enums import ProviderType
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.idempotency import idempotency_key
from schema.provider import Provider


@strawberry.input(description="In milliseconds; what is left out stays as it is, null resets it.")
class TimeoutsInput:
    connect_ms: strawberry.Maybe[int | None]
    first_token_ms: strawberry.Maybe[int | None]
    total_ms: strawberry.Maybe[int | None]


@strawberry.input(description="An upstream to add.")
class CreateProviderInput:
    slug: str = strawberry.field(description="1-40 of a-z, 0-9 and inner hyphens.")
    type: ProviderType
    name: str | None = strawberry.field(default=None, description="By default the slug.")
    base_url: str | None = strawberry.field(
        default=None,
        description="By default the address of its type; CUSTOM has none. Https, or a host that"
        " the operator lists.",
    )
    region: str | None = None
    priority: int = strawberry.field(default=100, description="A lower number is preferred.")
    enabled: bool = True
    timeouts: TimeoutsInput | None = None
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What is left out stays as it is.")
class UpdateProviderInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when somebody else has changed it since."
    )
    name: strawberry.Maybe[str]
    base_url: strawberry.Maybe[str] = strawberry.field(
        default=None, description="Keys do not follow to another address: they become NEEDS_KEY."
    )
    region: strawberry.Maybe[str | None]
    priority: strawberry.Maybe[int]
    enabled: strawberry.Maybe[bool]
    timeouts: strawberry.Maybe[TimeoutsInput]


@strawberry.input(description="Which provider to delete.")
class DeleteProviderInput:
    id: strawberry.ID
    force: bool = strawberry.field(default=False, description="Even while routing rules name it.")


@strawberry.input(description="Which provider to call.")
class TestProviderInput:
    id: strawberry.ID


@object_type(Policy.ADMIN, description="The provider as it is now.")
class CreateProviderPayload:
    provider: Provider


@object_type(Policy.ADMIN, description="The provider as it is now.")
class UpdateProviderPayload:
    provider: Provider


@object_type(Policy.ADMIN, description="What was deleted.")
class DeleteProviderPayload:
    deleted_id: strawberry.ID


@object_type(Policy.ADMIN, description="What a real call to the provider found.")
class TestProviderPayload:
    provider: Provider
    ok: bool
    latency_ms: int
    http_status: int | None = attribute(description="Null when it never answered.")
    error: str | None = attribute(description="The provider's own words, cut to 500 characters.")
    model_count: int = attribute(description="How many models it says it serves.")


CreateProviderResult = Annotated[
    CreateProviderPayload | InvalidInputError | ConflictError,
    result("CreateProviderResult"),
]

UpdateProviderResult = Annotated[
    UpdateProviderPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateProviderResult"),
]

DeleteProviderResult = Annotated[
    DeleteProviderPayload | NotFoundError | ConflictError,
    result("DeleteProviderResult"),
]

TestProviderResult = Annotated[
    TestProviderPayload | NotFoundError | ConflictError,
    result("TestProviderResult"),
]
