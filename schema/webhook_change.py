"""What a client may say to change webhooks, and what it hears back."""

from typing import Annotated

import strawberry

from auth.policies import Policy
from schema.enums import EventType
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.idempotency import idempotency_key
from schema.webhook import Webhook
from schema.webhook_delivery import WebhookDelivery


@strawberry.input(description="A receiver of events to add.")
class CreateWebhookInput:
    url: str = strawberry.field(
        description="Https, and of a public address, whatever the operator lists for providers."
    )
    event_types: list[EventType]
    name: str | None = strawberry.field(default=None, description="By default the URL's host.")
    organization: strawberry.ID | None = strawberry.field(
        default=None,
        description="It hears this organisation's own events; only for its administrators. Left"
        " out: those of the whole installation; only for administrators.",
    )
    enabled: bool = True
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What is left out stays as it is.")
class UpdateWebhookInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when somebody else has changed it since."
    )
    url: strawberry.Maybe[str]
    event_types: strawberry.Maybe[list[EventType]]
    name: strawberry.Maybe[str]
    enabled: strawberry.Maybe[bool] = strawberry.field(
        default=None, description="Switched on again, what is still due is sent."
    )


@strawberry.input(description="Which webhook to delete, with its deliveries.")
class DeleteWebhookInput:
    id: strawberry.ID


@strawberry.input(description="Which webhook gets a new signing secret.")
class RotateWebhookSecretInput:
    id: strawberry.ID
    overlap_hours: int = strawberry.field(
        default=24,
        description="For how long the secret before it signs as well, 0 to 168: receivers that"
        " know either of them can verify meanwhile.",
    )


@strawberry.input(description="Which webhook to try.")
class TestWebhookInput:
    id: strawberry.ID


@strawberry.input(description="Which delivery to send once more.")
class ReplayWebhookDeliveryInput:
    id: strawberry.ID
    idempotency_key: str | None = idempotency_key()


@object_type(Policy.ORG_ADMIN, description="The new webhook.")
class CreateWebhookPayload:
    webhook: Webhook
    secret: str | None = attribute(
        description="What its deliveries are signed with, as `whsec_…`. It is shown this once:"
        " give it to the receiver now. Null when an idempotency key is used again: rotate it then."
    )


@object_type(Policy.ORG_ADMIN, description="The webhook as it is now.")
class UpdateWebhookPayload:
    webhook: Webhook


@object_type(Policy.ORG_ADMIN, description="What was deleted.")
class DeleteWebhookPayload:
    deleted_id: strawberry.ID


@object_type(Policy.ORG_ADMIN, description="The webhook and its new secret.")
class RotateWebhookSecretPayload:
    webhook: Webhook
    secret: str = attribute(description="As `whsec_…`. It is shown this once.")


@object_type(Policy.ORG_ADMIN, description="The delivery, which is sent within about a second.")
class TestWebhookPayload:
    delivery: WebhookDelivery


@object_type(Policy.ORG_ADMIN, description="The new delivery of the same event.")
class ReplayWebhookDeliveryPayload:
    delivery: WebhookDelivery


CreateWebhookResult = Annotated[
    CreateWebhookPayload | InvalidInputError | NotFoundError | ConflictError,
    result("CreateWebhookResult"),
]

UpdateWebhookResult = Annotated[
    UpdateWebhookPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateWebhookResult"),
]

DeleteWebhookResult = Annotated[DeleteWebhookPayload | NotFoundError, result("DeleteWebhookResult")]

RotateWebhookSecretResult = Annotated[
    RotateWebhookSecretPayload | InvalidInputError | NotFoundError,
    result("RotateWebhookSecretResult"),
]

TestWebhookResult = Annotated[
    TestWebhookPayload | NotFoundError | ConflictError, result("TestWebhookResult")
]

ReplayWebhookDeliveryResult = Annotated[
    ReplayWebhookDeliveryPayload | InvalidInputError | NotFoundError | ConflictError,
    result("ReplayWebhookDeliveryResult"),
]
