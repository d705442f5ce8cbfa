"""People's and organisations' own provider keys (BYOK), and tests of any key."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.secret import Secret
from schema.credential import Credential
from schema.enums import KeyPolicy
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.idempotency import idempotency_key
from schema.scalars import USD


@strawberry.input(description="An own key to store at a provider.")
class SaveByokKeyInput:
    provider: strawberry.ID
    secret: Secret
    name: str = strawberry.field(default="default", description="To tell it from others.")
    policy: KeyPolicy = KeyPolicy.ONLY_MINE
    system_spend_per_month: USD | None = strawberry.field(
        default=None,
        description="With MINE_THEN_SYSTEM: what others' keys may cost in a calendar month (UTC)"
        " when this one is at its limit; null for no bound.",
    )
    organization: strawberry.ID | None = strawberry.field(
        default=None,
        description="For this organisation, whose members it then serves; only for its"
        " administrators. Left out: for the caller alone.",
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What is left out stays as it is.")
class UpdateByokKeyInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when the secret has been changed since."
    )
    secret: strawberry.Maybe[Secret] = strawberry.field(
        default=None, description="A new secret takes the old one's place and makes it ACTIVE."
    )
    name: strawberry.Maybe[str]
    policy: strawberry.Maybe[KeyPolicy]
    system_spend_per_month: strawberry.Maybe[USD | None] = strawberry.field(
        description="With MINE_THEN_SYSTEM: what others' keys may cost in a calendar month (UTC)"
        " when this one is at its limit; null for no bound."
    )
    enabled: strawberry.Maybe[bool]


@strawberry.input(description="Which key to delete.")
class DeleteByokKeyInput:
    id: strawberry.ID


@strawberry.input(description="Which key to test.")
class TestCredentialInput:
    id: strawberry.ID


@object_type(Policy.SELF, description="The key as it is now.")
class SaveByokKeyPayload:
    credential: Credential


@object_type(Policy.SELF, description="The key as it is now.")
class UpdateByokKeyPayload:
    credential: Credential


@object_type(Policy.SELF, description="What was deleted.")
class DeleteByokKeyPayload:
    deleted_id: strawberry.ID


@object_type(Policy.SELF, description="What the provider made of the key.")
class TestCredentialPayload:
    credential: Credential = attribute(description="DISABLED now if the provider refused it.")
    ok: bool
    latency_ms: int
    http_status: int | None = attribute(description="Null when it never answered.")
    error: str | None = attribute(description="The provider's own words, cut to 500 characters.")
    model_count: int = attribute(description="How many models it says the key may use.")


SaveByokKeyResult = Annotated[
    SaveByokKeyPayload | InvalidInputError | NotFoundError | ConflictError,
    result("SaveByokKeyResult"),
]

UpdateByokKeyResult = Annotated[
    UpdateByokKeyPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateByokKeyResult"),
]

DeleteByokKeyResult = Annotated[
    DeleteByokKeyPayload | NotFoundError,
    result("DeleteByokKeyResult"),
]

TestCredentialResult = Annotated[
    TestCredentialPayload | NotFoundError | ConflictError,
    result("TestCredentialResult"),
]
