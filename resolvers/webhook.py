"""What we do when asked about webhooks."""

from datetime import timedelta
from functools import partial

import strawberry

from auth.policies import Policy
from db.queries.delivery import delivery_by_id
from db.queries.webhook import webhook_by_id
from domain import checks
from domain.idempotency import once
from domain.reach import reach_of
from domain.webhook import (
    LONGEST_OVERLAP,
    create_webhook,
    delete_webhook,
    new_secret,
    replay_delivery,
    rotate_secret,
    test_webhook,
    update_webhook,
)
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.node import global_id, key_of
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.webhook import WEBHOOKS, Webhook, WebhookFilter, WebhookOrder, webhooks_asked
from schema.webhook_change import (
    CreateWebhookInput,
    CreateWebhookPayload,
    CreateWebhookResult,
    DeleteWebhookInput,
    DeleteWebhookPayload,
    DeleteWebhookResult,
    ReplayWebhookDeliveryInput,
    ReplayWebhookDeliveryPayload,
    ReplayWebhookDeliveryResult,
    RotateWebhookSecretInput,
    RotateWebhookSecretPayload,
    RotateWebhookSecretResult,
    TestWebhookInput,
    TestWebhookPayload,
    TestWebhookResult,
    UpdateWebhookInput,
    UpdateWebhookPayload,
    UpdateWebhookResult,
)
from schema.webhook_delivery import WebhookDelivery

_HOUR = timedelta(hours=1)


@strawberry.type
class WebhookQuery:
    @query_field(
        Policy.ORG_ADMIN,
        description="The webhooks the caller governs: their organisation's; administrators see"
        " all, those of the whole installation included.",
        graphql_type=Connection[Webhook],
        size=20,
    )
    async def webhooks(
        self,
        info: Info,
        filter: WebhookFilter | None = None,
        order_by: WebhookOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Webhook]:
        asked = webhooks_asked(info.context, filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return await WEBHOOKS.whole(info.context, asked, arguments)


@strawberry.type
class WebhookMutation:
    @mutation_field(
        Policy.ORG_ADMIN,
        description="Tell an address of events from now on. At most 20 for the installation, and"
        " for each organisation.",
        graphql_type=CreateWebhookResult,
    )
    async def create_webhook(self, info: Info, input: CreateWebhookInput) -> CreateWebhookPayload:
        organization_id = (
            None if input.organization is None else key_of("Organization", input.organization)
        )
        values = {"url": input.url, "event_types": input.event_types, "enabled": input.enabled}
        if input.name is not None:
            values["name"] = input.name
        key, caller, secret = key_of_input(info, input), info.context.caller, new_secret()
        async with info.context.change() as session:
            make = partial(
                create_webhook,
                session,
                info.context.cipher,
                caller,
                organization_id,
                secret,
                values,
            )
            again = partial(webhook_by_id, session, reach=reach_of(caller))
            row, is_new = await once(session, key, make, again)
        return CreateWebhookPayload(
            webhook=Webhook.of(row), secret=secret.reveal() if is_new else None
        )

    @mutation_field(
        Policy.ORG_ADMIN, description="Change a webhook.", graphql_type=UpdateWebhookResult
    )
    async def update_webhook(self, info: Info, input: UpdateWebhookInput) -> UpdateWebhookPayload:
        id, expected = key_of("Webhook", input.id), input.expected_version
        patch = given(input, "url", "event_types", "name", "enabled")
        async with info.context.change() as session:
            row = await update_webhook(session, info.context.caller, id, expected, patch)
        return UpdateWebhookPayload(webhook=Webhook.of(row))

    @mutation_field(
        Policy.ORG_ADMIN,
        description="Delete a webhook with what was or is to be sent to it.",
        graphql_type=DeleteWebhookResult,
    )
    async def delete_webhook(self, info: Info, input: DeleteWebhookInput) -> DeleteWebhookPayload:
        id = key_of("Webhook", input.id)
        async with info.context.change() as session:
            await delete_webhook(session, info.context.caller, id)
        return DeleteWebhookPayload(deleted_id=global_id("Webhook", id))

    @mutation_field(
        Policy.ORG_ADMIN,
        description="Sign with a new secret, and for a while with the one before it as well.",
        graphql_type=RotateWebhookSecretResult,
    )
    async def rotate_webhook_secret(
        self, info: Info, input: RotateWebhookSecretInput
    ) -> RotateWebhookSecretPayload:
        id, secret = key_of("Webhook", input.id), new_secret()
        checks.between("overlapHours", input.overlap_hours, 0, LONGEST_OVERLAP // _HOUR)
        async with info.context.change() as session:
            row = await rotate_secret(
                session,
                info.context.cipher,
                info.context.caller,
                id,
                secret,
                input.overlap_hours * _HOUR,
            )
        return RotateWebhookSecretPayload(webhook=Webhook.of(row), secret=secret.reveal())

    @mutation_field(
        Policy.ORG_ADMIN,
        description="Send a test event, once. Read the delivery again to see how it went.",
        graphql_type=TestWebhookResult,
    )
    async def test_webhook(self, info: Info, input: TestWebhookInput) -> TestWebhookPayload:
        id = key_of("Webhook", input.id)
        async with info.context.change() as session:
            row = await test_webhook(session, info.context.caller, id)
        return TestWebhookPayload(delivery=WebhookDelivery.of(row))

    @mutation_field(
        Policy.ORG_ADMIN,
        description="Send the event of a delivery that has ended once more.",
        graphql_type=ReplayWebhookDeliveryResult,
    )
    async def replay_webhook_delivery(
        self, info: Info, input: ReplayWebhookDeliveryInput
    ) -> ReplayWebhookDeliveryPayload:
        id, caller = key_of("WebhookDelivery", input.id), info.context.caller
        key = key_of_input(info, input)
        async with info.context.change() as session:
            row, _ = await once(
                session,
                key,
                partial(replay_delivery, session, caller, id),
                partial(delivery_by_id, session, reach=reach_of(caller)),
            )
        return ReplayWebhookDeliveryPayload(delivery=WebhookDelivery.of(row))
