"""What we do when asked about providers."""

from functools import partial
from typing import Any

import strawberry

from auth.policies import Policy
from db.queries.provider import provider_by_id, provider_by_slug
from domain.audit import AuditObject
from domain.configuration import provider_of
from domain.idempotency import once
from domain.probing import settle_test, subject
from domain.provider import (
    create_provider,
    delete_provider,
    update_provider,
)
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.node import global_id, key_of
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    PageArguments,
)
from schema.provider import (
    PROVIDERS,
    Provider,
    ProviderFilter,
    ProviderOrder,
    providers_asked,
)
from schema.provider_change import (
    CreateProviderInput,
    CreateProviderPayload,
    CreateProviderResult,
    DeleteProviderInput,
    DeleteProviderPayload,
    DeleteProviderResult,
    TestProviderInput,
    TestProviderPayload,
    TestProviderResult,
    TimeoutsInput,
    UpdateProviderInput,
    UpdateProviderPayload,
    UpdateProviderResult,
)


@strawberry.type
class ProviderQuery:
    @query_field(
        Policy.SIGNED_IN,
        description="The providers the caller may see, by priority.",
        graphql_type=Connection[Provider],
        size=20,
    )
    async def providers(
        self,
        info: Info,
        filter: ProviderFilter | None = None,
        order_by: ProviderOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Provider]:
        arguments = PageArguments(first, after, last, before)
        return await PROVIDERS.whole(info.context, providers_asked(filter, order_by), arguments)

    @query_field(
        Policy.SIGNED_IN,
        description="The provider with this slug.",
        graphql_type=Provider | None,
    )
    async def provider(self, info: Info, slug: str) -> Provider | None:
        async with info.context.read() as session:
            row = await provider_by_slug(session, slug)
        return Provider.seen(info.context, row)


@strawberry.type
class ProviderMutation:
    @mutation_field(Policy.ADMIN, description="Add an upstream.", graphql_type=CreateProviderResult)
    async def create_provider(
        self, info: Info, input: CreateProviderInput
    ) -> CreateProviderPayload:
        values = {
            "slug": input.slug,
            "type": input.type,
            "name": input.slug if input.name is None else input.name,
            "base_url": input.base_url,
            "region": input.region,
            "priority": input.priority,
            "enabled": input.enabled,
            "options": {} if input.timeouts is None else _options(input.timeouts),
        }
        key, allowed = key_of_input(info, input), info.context.allow_private_hosts
        async with info.context.change() as session:
            row, is_new = await once(
                session,
                key,
                partial(create_provider, session, values, allowed),
                partial(provider_by_id, session),
            )
        if is_new:
            info.context.probe_later(row.id)
        return CreateProviderPayload(provider=Provider.of(row))

    @mutation_field(
        Policy.ADMIN,
        description="Change an upstream. Its keys do not follow it to another address.",
        graphql_type=UpdateProviderResult,
    )
    async def update_provider(
        self, info: Info, input: UpdateProviderInput
    ) -> UpdateProviderPayload:
        patch = given(input, "name", "base_url", "region", "priority", "enabled")
        if input.timeouts is not None:
            patch["options"] = _options(input.timeouts.value)
        id, expected = key_of("Provider", input.id), input.expected_version
        allowed = info.context.allow_private_hosts
        async with info.context.change() as session:
            row = await update_provider(session, id, expected, patch, allowed)
        return UpdateProviderPayload(provider=Provider.of(row))

    @mutation_field(
        Policy.ADMIN,
        description="Delete an upstream with its models and keys. Refused, with the list, while"
        " routing rules name it, unless forced.",
        graphql_type=DeleteProviderResult,
    )
    async def delete_provider(
        self, info: Info, input: DeleteProviderInput
    ) -> DeleteProviderPayload:
        id = key_of("Provider", input.id)
        async with info.context.change() as session:
            await delete_provider(session, id, force=input.force)
        return DeleteProviderPayload(deleted_id=global_id("Provider", id))

    @mutation_field(
        Policy.ADMIN,
        description="Call the provider with its stored key and tell what came back. A key that it"
        " refuses (401, 403) becomes DISABLED.",
        graphql_type=TestProviderResult,
    )
    async def test_provider(self, info: Info, input: TestProviderInput) -> TestProviderPayload:
        id = key_of("Provider", input.id)
        async with info.context.read() as session:
            tested = await subject(session, info.context.cipher, id)
        found = await info.context.probe.test(
            provider_of(tested.provider), tested.key, tested.model
        )
        async with info.context.change() as session:
            await settle_test(session, tested, found, asked_for=AuditObject.PROVIDER)
        return TestProviderPayload(
            provider=Provider.of(tested.provider),
            ok=found.ok,
            latency_ms=found.latency_ms,
            http_status=found.http_status,
            error=found.error,
            model_count=len(found.models),
        )


def _options(timeouts: TimeoutsInput) -> dict[str, Any]:
    columns = {
        "connect_ms": "connect_timeout_ms",
        "first_token_ms": "first_token_timeout_ms",
        "total_ms": "total_timeout_ms",
    }
    return {columns[name]: value for name, value in given(timeouts, *columns).items()}
