"""Finished requests: what each used and cost, and why it went where it went."""

import asyncio
import uuid
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Self

import msgspec
import strawberry

from auth.policies import Policy
from db.keyset import Row
from db.queries import usage as queries
from domain.decision import Decision
from domain.reach import reach_of
from domain.usage import Attempt
from schema.apikey import ApiKey
from schema.attempt import MOST_CALLS, UsageAttempt
from schema.context import Context, Info
from schema.decision import RouteDecision
from schema.enums import KeyOwner, UsageSource, UsageStatus
from schema.fields import attribute, edge, object_type
from schema.model import Model
from schema.node import Node, global_id
from schema.organization import Organization
from schema.price import Price
from schema.provider import Provider
from schema.scalars import USD, BigInt
from schema.user import User


async def stored_of(context: Context, keys: list[uuid.UUID]) -> list[Row | None]:
    """What was kept of how each request was routed."""
    async with context.read() as session:
        found = await queries.decisions_by_id(session, keys)
    return [found.get(key) for key in keys]


async def decisions_of(
    context: Context, keys: list[uuid.UUID]
) -> list[RouteDecision | Exception | None]:
    """One that this version cannot read fails alone."""
    rows = await asyncio.gather(*(context.load(stored_of, key) for key in keys))
    return [_decision(context, row) for row in rows]


def _decision(context: Context, row: Row | None) -> RouteDecision | Exception | None:
    if row is None or row.decision is None:
        return None
    try:
        return RouteDecision.of(context, msgspec.convert(row.decision, Decision))
    except msgspec.ValidationError as error:
        return error


async def attempts_of(context: Context, keys: list[uuid.UUID]) -> list[list[UsageAttempt]]:
    rows = await asyncio.gather(*(context.load(stored_of, key) for key in keys))
    return [
        [
            UsageAttempt.of(each)
            for each in msgspec.convert([] if row is None else row.attempts, list[Attempt])
        ]
        for row in rows
    ]


@object_type(Policy.SELF, description="One finished request to `/v1`.")
class UsageRecord(Node):
    row: strawberry.Private[Any]
    started_at: datetime
    requested_model: str = attribute(description="As the request named it.")
    provider_slug: str | None = attribute(
        description="Who served it, as named then; null when nobody did."
    )
    model_name: str | None = attribute(description="What served it, as named then.")
    input_tokens: BigInt = attribute(description="Cached and cache-write ones included.")
    cached_tokens: BigInt
    cache_write_tokens: BigInt = attribute(description="Those kept an hour included.")
    cache_write_1h_tokens: BigInt = attribute(description="Of them, those kept an hour.")
    output_tokens: BigInt = attribute(description="Reasoning included.")
    reasoning_tokens: BigInt
    usage_source: UsageSource
    cost: USD | None = attribute(description="Null where the price was unknown, which is not 0.")
    credits_charged: USD = attribute(
        description="What its wallet was charged: 0 where credits are not enforced, and for own"
        " keys."
    )
    key_owner: KeyOwner | None = attribute(description="Whose provider key it went out with.")
    is_byok: bool = attribute(
        description="It went out with a person's or an organisation's own key: `cost` is then what"
        " it would have cost here, and no credits are charged."
    )
    latency_ms: int
    first_token_ms: int | None
    status: UsageStatus
    error_class: str | None
    attempt_count: int
    is_streamed: bool
    is_cache_hit: bool = attribute(
        description="Answered with what an exact repeat was answered before: nothing was used."
    )

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("UsageRecord", row.id),
            row=row,
            started_at=row.started_at,
            requested_model=row.requested_model,
            provider_slug=row.provider_slug,
            model_name=row.model_name,
            input_tokens=row.input_tokens,
            cached_tokens=row.cached_tokens,
            cache_write_tokens=row.cache_write_tokens,
            cache_write_1h_tokens=row.cache_write_1h_tokens,
            output_tokens=row.output_tokens,
            reasoning_tokens=row.reasoning_tokens,
            usage_source=UsageSource(row.usage_source),
            cost=row.cost,
            credits_charged=USD(row.credits_charged),
            key_owner=None if row.key_owner is None else KeyOwner(row.key_owner),
            is_byok=row.key_owner in (KeyOwner.USER, KeyOwner.ORGANIZATION),
            latency_ms=row.latency_ms,
            first_token_ms=row.first_token_ms,
            status=UsageStatus(row.status),
            error_class=row.error_class,
            attempt_count=row.attempts,
            is_streamed=row.streamed,
            is_cache_hit=row.usage_source == UsageSource.CACHE,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        async with context.read() as session:
            found = await queries.usage_by_id(session, keys, reach_of(context.caller))
        return [cls.of(found[key]) if key in found else None for key in keys]

    @edge(description="Whose request it was.", graphql_type=User | None)
    def user(self, info: Info) -> Awaitable[User | None]:
        return info.context.load(User.fetch, self.row.user_id)

    @edge(description="The organisation it was for.", graphql_type=Organization | None)
    def organization(self, info: Info) -> Awaitable[Organization | None] | None:
        return _maybe(info, Organization.fetch, self.row.organization_id)

    @edge(description="The key it came with.", graphql_type=ApiKey | None)
    def api_key(self, info: Info) -> Awaitable[ApiKey | None] | None:
        return _maybe(info, ApiKey.fetch, self.row.api_key_id)

    @edge(description="Who served it; null when they are gone.", graphql_type=Provider | None)
    def provider(self, info: Info) -> Awaitable[Provider | None] | None:
        return _maybe(info, Provider.fetch, self.row.provider_id)

    @edge(description="What served it; null when it is gone.", graphql_type=Model | None)
    def model(self, info: Info) -> Awaitable[Model | None] | None:
        return _maybe(info, Model.fetch, self.row.model_id)

    @edge(description="What it was charged at.", graphql_type=Price | None)
    def price(self, info: Info) -> Awaitable[Price | None] | None:
        return _maybe(info, Price.fetch, self.row.price_id)

    @edge(
        description="Why it went where it went, as it was decided then.",
        graphql_type=RouteDecision | None,
    )
    def decision(self, info: Info) -> Awaitable[RouteDecision | None]:
        return info.context.load(decisions_of, self.row.id)

    @edge(
        description="Every upstream call, in order.",
        graphql_type=list[UsageAttempt],
        size=MOST_CALLS,
    )
    def attempts(self, info: Info) -> Awaitable[list[UsageAttempt]]:
        return info.context.load(attempts_of, self.row.id)


def _maybe(info: Info, batch: Any, key: uuid.UUID | None) -> Awaitable[Any] | None:
    return None if key is None else info.context.load(batch, key)
