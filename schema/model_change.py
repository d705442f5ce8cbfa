"""What a client may say to change models and prices, and what it hears back."""

from datetime import datetime
from typing import Annotated

import strawberry

from auth.policies import Policy
from domain.model import MOST_AT_ONCE
from schema.enums import Capability, Modality, PowerLevel
from schema.errors import ConflictError, InvalidInputError, NotFoundError
from schema.fields import attribute, object_type, result
from schema.idempotency import idempotency_key
from schema.model import Model
from schema.price import Price, PriceInput


@strawberry.input(description="A model that a provider serves.")
class CreateModelInput:
    provider: strawberry.ID
    name: str = strawberry.field(description="The provider's own name for it.")
    display_name: str | None = strawberry.field(default=None, description="By default the name.")
    canonical_name: str | None = strawberry.field(
        default=None, description="By default the name after its last slash."
    )
    context_length: int | None = None
    max_output_tokens: int | None = None
    input_modalities: list[Modality] = strawberry.field(default_factory=lambda: [Modality.TEXT])
    output_modalities: list[Modality] = strawberry.field(default_factory=lambda: [Modality.TEXT])
    capabilities: list[Capability] = strawberry.field(
        default_factory=lambda: [Capability.STREAMING]
    )
    level_pin: PowerLevel | None = None
    quality: float | None = None
    quality_source: str | None = None
    enabled: bool = True
    price: PriceInput | None = strawberry.field(
        default=None, description="Without one it stays unknown, and AUTO does not choose it."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What is left out stays as it is.")
class UpdateModelInput:
    id: strawberry.ID
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse when somebody else has changed it since."
    )
    display_name: strawberry.Maybe[str]
    canonical_name: strawberry.Maybe[str]
    context_length: strawberry.Maybe[int | None]
    max_output_tokens: strawberry.Maybe[int | None]
    input_modalities: strawberry.Maybe[list[Modality]]
    output_modalities: strawberry.Maybe[list[Modality]]
    capabilities: strawberry.Maybe[list[Capability]]
    level_pin: strawberry.Maybe[PowerLevel | None]
    quality: strawberry.Maybe[float | None]
    quality_source: strawberry.Maybe[str | None]
    enabled: strawberry.Maybe[bool]


@strawberry.input(description="Models to switch on or off at once, all of them or none.")
class SetModelsEnabledInput:
    models: list[strawberry.ID] = strawberry.field(description="1 to 100.")
    enabled: bool


@strawberry.input(description="Which model to delete.")
class DeleteModelInput:
    id: strawberry.ID
    force: bool = strawberry.field(default=False, description="Even while routing rules name it.")


@strawberry.input(description="A price from a moment on.")
class SetModelPriceInput:
    model: strawberry.ID
    price: PriceInput
    valid_from: datetime | None = strawberry.field(
        default=None, description="Not in the past; by default now."
    )
    idempotency_key: str | None = idempotency_key()


@object_type(Policy.ADMIN, description="The model as it is now.")
class CreateModelPayload:
    model: Model


@object_type(Policy.ADMIN, description="The model as it is now.")
class UpdateModelPayload:
    model: Model


@object_type(Policy.ADMIN, description="The models as they are now, in the order asked.")
class SetModelsEnabledPayload:
    models: list[Model] = attribute(size=MOST_AT_ONCE)


@object_type(Policy.ADMIN, description="What was deleted.")
class DeleteModelPayload:
    deleted_id: strawberry.ID


@object_type(Policy.ADMIN, description="The new price, and the model it belongs to.")
class SetModelPricePayload:
    model: Model
    price: Price


CreateModelResult = Annotated[
    CreateModelPayload | InvalidInputError | NotFoundError | ConflictError,
    result("CreateModelResult"),
]

UpdateModelResult = Annotated[
    UpdateModelPayload | InvalidInputError | NotFoundError | ConflictError,
    result("UpdateModelResult"),
]

SetModelsEnabledResult = Annotated[
    SetModelsEnabledPayload | InvalidInputError | NotFoundError,
    result("SetModelsEnabledResult"),
]

DeleteModelResult = Annotated[
    DeleteModelPayload | NotFoundError | ConflictError,
    result("DeleteModelResult"),
]

SetModelPriceResult = Annotated[
    SetModelPricePayload | InvalidInputError | NotFoundError | ConflictError,
    result("SetModelPriceResult"),
]
