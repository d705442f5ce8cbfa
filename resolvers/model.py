"""What we do when asked about models and prices."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import strawberry

from auth.policies import Policy
from db.queries.model import model_by_id, model_by_reference, priced_model
from domain.idempotency import once
from domain.model import (
    create_model,
    delete_model,
    set_models_enabled,
    set_price,
    update_model,
)
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.model import MODELS, Model, ModelFilter, ModelOrder, ModelsAsked
from schema.model_change import (
    CreateModelInput,
    CreateModelPayload,
    CreateModelResult,
    DeleteModelInput,
    DeleteModelPayload,
    DeleteModelResult,
    SetModelPriceInput,
    SetModelPricePayload,
    SetModelPriceResult,
    SetModelsEnabledInput,
    SetModelsEnabledPayload,
    SetModelsEnabledResult,
    UpdateModelInput,
    UpdateModelPayload,
    UpdateModelResult,
)
from schema.node import global_id, key_of
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    PageArguments,
)
from schema.price import Price


@strawberry.type
class ModelQuery:
    @query_field(
        Policy.SIGNED_IN,
        description="The models the caller may see, by reference.",
        graphql_type=Connection[Model],
        size=20,
    )
    async def models(
        self,
        info: Info,
        filter: ModelFilter | None = None,
        order_by: ModelOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Model]:
        arguments = PageArguments(first, after, last, before)
        return await MODELS.whole(info.context, ModelsAsked.of(filter, order_by), arguments)

    @query_field(
        Policy.SIGNED_IN,
        description="The model with this reference.",
        graphql_type=Model | None,
    )
    async def model(
        self,
        info: Info,
        reference: Annotated[str, strawberry.argument(description="`provider/model`")],
    ) -> Model | None:
        slug, _, name = reference.partition("/")
        only_served = not info.context.caller.is_admin
        async with info.context.read() as session:
            row = await model_by_reference(session, slug, name, only_served=only_served)
        return None if row is None else Model.of(row)


@strawberry.type
class ModelMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Add a model to a provider, with its first price.",
        graphql_type=CreateModelResult,
    )
    async def create_model(self, info: Info, input: CreateModelInput) -> CreateModelPayload:
        plain = (
            "name",
            "context_length",
            "max_output_tokens",
            "input_modalities",
            "output_modalities",
            "capabilities",
            "level_pin",
            "quality",
            "quality_source",
            "enabled",
        )
        values = {column: getattr(input, column) for column in plain}
        for column in ("display_name", "canonical_name"):
            if getattr(input, column) is not None:
                values[column] = getattr(input, column)
        price = None if input.price is None else input.price.amounts()
        provider_id = key_of("Provider", input.provider)
        key, now = key_of_input(info, input), datetime.now(UTC)
        async with info.context.change() as session:
            row, _ = await once(
                session,
                key,
                partial(create_model, session, provider_id, values, price, now),
                partial(model_by_id, session),
            )
        return CreateModelPayload(model=Model.of(row))

    @mutation_field(Policy.ADMIN, description="Change a model.", graphql_type=UpdateModelResult)
    async def update_model(self, info: Info, input: UpdateModelInput) -> UpdateModelPayload:
        patch = given(
            input,
            "display_name",
            "canonical_name",
            "context_length",
            "max_output_tokens",
            "input_modalities",
            "output_modalities",
            "capabilities",
            "level_pin",
            "quality",
            "quality_source",
            "enabled",
        )
        id = key_of("Model", input.id)
        async with info.context.change() as session:
            row = await update_model(session, id, input.expected_version, patch)
        return UpdateModelPayload(model=Model.of(row))

    @mutation_field(
        Policy.ADMIN,
        description="Switch many models on or off, all of them or none.",
        graphql_type=SetModelsEnabledResult,
    )
    async def set_models_enabled(
        self, info: Info, input: SetModelsEnabledInput
    ) -> SetModelsEnabledPayload:
        ids = [key_of("Model", id) for id in input.models]
        async with info.context.change() as session:
            rows = await set_models_enabled(session, ids, input.enabled)
        return SetModelsEnabledPayload(models=[Model.of(row) for row in rows])

    @mutation_field(
        Policy.ADMIN,
        description="Delete a model with its prices. Refused, with the list, while routing rules"
        " name it, unless forced. Usage keeps what it was charged.",
        graphql_type=DeleteModelResult,
    )
    async def delete_model(self, info: Info, input: DeleteModelInput) -> DeleteModelPayload:
        id = key_of("Model", input.id)
        async with info.context.change() as session:
            await delete_model(session, id, force=input.force)
        return DeleteModelPayload(deleted_id=global_id("Model", id))

    @mutation_field(
        Policy.ADMIN,
        description="A new price from a moment on; what was charged before stays.",
        graphql_type=SetModelPriceResult,
    )
    async def set_model_price(self, info: Info, input: SetModelPriceInput) -> SetModelPricePayload:
        id, amounts = key_of("Model", input.model), input.price.amounts()
        key, now = key_of_input(info, input), datetime.now(UTC)
        async with info.context.change() as session:
            (model, price), _ = await once(
                session,
                key,
                partial(set_price, session, id, amounts, input.valid_from, now),
                partial(priced_model, session),
                id_of=lambda made: made[1].id,
            )
        return SetModelPricePayload(model=Model.of(model), price=Price.of(price))
