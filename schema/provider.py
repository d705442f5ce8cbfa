"""Upstreams that serve models."""

import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import provider as queries
from db.queries.provider import ProviderQuery
from schema.context import Context, Info
from schema.credential import (
    SYSTEM_CREDENTIALS,
    Credential,
    CredentialFilter,
    CredentialOrder,
    credentials_asked,
)
from schema.enums import ProviderType
from schema.fields import attribute, edge, object_type
from schema.health import Health, healths_of_providers
from schema.listing import Listing, Slice
from schema.model import MODELS, Model, ModelFilter, ModelOrder, ModelsAsked
from schema.node import Node, global_id
from schema.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    OrderDirection,
    PageArguments,
)


@object_type(Policy.SIGNED_IN, description="Time limits of calls to a provider, in milliseconds.")
class Timeouts:
    connect_ms: int | None = attribute(description="Null: 5,000.")
    first_token_ms: int | None = attribute(description="Null: from what was observed.")
    total_ms: int | None = attribute(description="Null: 600,000.")


@object_type(Policy.ADMIN, description="What the last real call to a provider found.")
class ProviderTest:
    ok: bool
    latency_ms: int
    http_status: int | None = attribute(description="Null when it never answered.")
    error: str | None = attribute(description="The provider's own words, cut to 500 characters.")
    at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            ok=row.ok,
            latency_ms=row.latency_ms,
            http_status=row.http_status,
            error=row.error,
            at=row.at,
        )


async def last_tests_of(
    context: Context, provider_ids: list[uuid.UUID]
) -> list[ProviderTest | None]:
    async with context.read() as session:
        found = await queries.last_tests(session, provider_ids)
    return [ProviderTest.of(found[id]) if id in found else None for id in provider_ids]


async def health_of(context: Context, provider_ids: list[uuid.UUID]) -> list[Health]:
    return [Health.of_provider(each) for each in await healths_of_providers(context, provider_ids)]


@object_type(Policy.SIGNED_IN, description="An upstream that serves models.")
class Provider(Node):
    key: strawberry.Private[uuid.UUID]
    slug: str = attribute(description="Its name in model references, as in `openai/gpt-4o`.")
    name: str
    type: ProviderType
    base_url: str
    region: str | None
    priority: int = attribute(description="A lower number is preferred.")
    enabled: bool
    timeouts: Timeouts
    version: int = attribute(description="Counts updates; see `expectedVersion`.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Provider", row.id),
            key=row.id,
            slug=row.slug,
            name=row.name,
            type=ProviderType(row.type),
            base_url=row.base_url,
            region=row.region,
            priority=row.priority,
            enabled=row.enabled,
            timeouts=Timeouts(
                connect_ms=row.options.get("connect_timeout_ms"),
                first_token_ms=row.options.get("first_token_timeout_ms"),
                total_ms=row.options.get("total_timeout_ms"),
            ),
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.providers_by_id(session, keys)
        return [cls.seen(context, found.get(key)) for key in keys]

    @classmethod
    def seen(cls, context: Context, row: Row | None) -> Self | None:
        """The provider, unless it is not there or disabled and the caller no administrator."""
        hidden = row is None or not (row.enabled or context.caller.is_admin)
        return None if hidden else cls.of(row)

    @edge(
        description="The models it serves.",
        graphql_type=Connection[Model],
        size=20,
    )
    def models(
        self,
        info: Info,
        filter: ModelFilter | None = None,
        order_by: ModelOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[Model]]:
        asked = ModelsAsked.of(filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return MODELS.load(info.context, Slice(self.key, asked, arguments))

    @edge(
        description="The system's keys at this provider.",
        policy=Policy.ADMIN,
        graphql_type=Connection[Credential],
        size=20,
    )
    def credentials(
        self,
        info: Info,
        filter: CredentialFilter | None = None,
        order_by: CredentialOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Connection[Credential]]:
        asked = credentials_asked(filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return SYSTEM_CREDENTIALS.load(info.context, Slice(self.key, asked, arguments))

    @edge(
        description="What the last test found, on whichever process it ran; null before the first."
        " A test follows each new key by itself.",
        policy=Policy.ADMIN,
        graphql_type=ProviderTest | None,
    )
    def last_test(self, info: Info) -> Awaitable[ProviderTest | None]:
        return info.context.load(last_tests_of, self.key)

    @edge(
        description="What all processes observed of its models together; while there is no traffic"
        " its state is what the last test found.",
        graphql_type=Health,
    )
    def health(self, info: Info) -> Awaitable[Health]:
        return info.context.load(health_of, self.key)


@strawberry.input(description="Which providers; what is left out does not narrow.")
class ProviderFilter:
    search: str | None = strawberry.field(default=None, description="Part of the slug or the name.")
    types: list[ProviderType] | None = None
    enabled: bool | None = None


@strawberry.enum(description="What providers are ordered by.")
class ProviderOrderField(StrEnum):
    PRIORITY = "PRIORITY"
    SLUG = "SLUG"
    NAME = "NAME"
    CREATED = "CREATED"


@strawberry.input(description="In which order providers come.")
class ProviderOrder:
    field: ProviderOrderField
    direction: OrderDirection = OrderDirection.ASC


def providers_asked(filter: ProviderFilter | None, order: ProviderOrder | None) -> ProviderQuery:
    """Filter and order as the query's own value."""
    query = ProviderQuery()
    if filter is not None:
        types = None if filter.types is None else tuple(filter.types)
        query = replace(query, search=filter.search, types=types, enabled=filter.enabled)
    if order is not None:
        falling = order.direction is OrderDirection.DESC
        query = replace(query, order=order.field, descending=falling)
    return query


def _plan(context: Context, asked: ProviderQuery) -> tuple[Listed, Ordering]:
    return queries.providers(replace(asked, only_enabled=not context.caller.is_admin))


PROVIDERS = Listing(_plan, Provider.of)
