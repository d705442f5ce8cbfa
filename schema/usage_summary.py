"""Sums over requests: totals, what they are made of, and how they went over time."""

import uuid
from collections.abc import Awaitable, Hashable
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Annotated, Any, Self

import strawberry

from auth.policies import Policy
from db.queries import usage_totals as queries
from db.queries.usage import UsageQuery
from db.queries.usage_totals import Figures, Group
from domain.errors import InvalidInput
from domain.period import MOST_POINTS, Interval, Period, Span, previous_of, starts_of
from domain.pricing import half_even
from schema.apikey import ApiKey
from schema.context import Info
from schema.fields import attribute, edge, object_type
from schema.model import Model
from schema.organization import Organization
from schema.pagination import MAX_SIZE, After, Before, Connection, First, Last, PageArguments
from schema.provider import Provider
from schema.scalars import USD, BigInt
from schema.usage import UsageRecord
from schema.usage_list import USAGE_RECORDS, RecordsAsked
from schema.usage_sums import breakdown_of, totals_of, wanted_below
from schema.user import User

ANALYTICS = 20
"""What a sum over many rows counts for in an operation's cost."""

strawberry.enum(Period, name="UsagePeriod", description="That many calendar days, today included.")
strawberry.enum(Interval, name="UsageInterval", description="How finely time is cut.")


@strawberry.enum(description="By what requests are grouped.")
class UsageDimension(StrEnum):
    PROVIDER = "PROVIDER"
    MODEL = "MODEL"
    USER = "USER"
    ORGANIZATION = "ORGANIZATION"
    API_KEY = "API_KEY"
    STATUS = "STATUS"
    ERROR_CLASS = "ERROR_CLASS"
    BYOK = "BYOK"


_ANSWERED = "Of answered requests; within 0.4 %, by model and by caller within 3.2 %."


@strawberry.interface(description="Sums over some requests.")
class UsageFigures:
    requests: BigInt
    errors: BigInt = strawberry.field(
        description="Requests without a whole answer, except where the client left."
    )
    error_rate: float | None = strawberry.field(description="0 to 1; null without requests.")
    input_tokens: BigInt = strawberry.field(description="Cached and cache-write ones included.")
    cached_tokens: BigInt
    cached_share: float | None = strawberry.field(
        description="Of the input tokens, 0 to 1; null without any."
    )
    cache_write_tokens: BigInt
    output_tokens: BigInt = strawberry.field(description="Reasoning included.")
    reasoning_tokens: BigInt
    cost: USD = strawberry.field(description="Exact; of the requests whose price was known.")
    shadow_cost: USD = strawberry.field(
        description="The part of `cost` that went out with callers' own keys: what it would have"
        " cost here."
    )
    unpriced_requests: BigInt = strawberry.field(description="Requests that `cost` leaves out.")
    average_cost: USD | None = strawberry.field(description="Per request whose price was known.")
    latency_p50_ms: int | None = strawberry.field(description=_ANSWERED)
    latency_p95_ms: int | None = strawberry.field(description=_ANSWERED)
    latency_p99_ms: int | None = strawberry.field(description=_ANSWERED)
    first_token_p50_ms: int | None = strawberry.field(description=_ANSWERED)
    first_token_p95_ms: int | None = strawberry.field(description=_ANSWERED)
    first_token_p99_ms: int | None = strawberry.field(description=_ANSWERED)
    unique_users: BigInt = strawberry.field(description="Exact.")


def _fields(figures: Figures) -> dict[str, Any]:
    requests, priced = figures.requests, figures.priced
    named = {
        f"{name}_p{share}_ms": value
        for name in ("latency", "first_token")
        for share, value in zip((50, 95, 99), getattr(figures, name), strict=True)
    }
    share = figures.cached_tokens / figures.input_tokens if figures.input_tokens else None
    return {
        "requests": requests,
        "errors": figures.errors,
        "error_rate": figures.errors / requests if requests else None,
        "input_tokens": figures.input_tokens,
        "cached_tokens": figures.cached_tokens,
        "cached_share": share,
        "cache_write_tokens": figures.cache_write_tokens,
        "output_tokens": figures.output_tokens,
        "reasoning_tokens": figures.reasoning_tokens,
        "cost": figures.cost,
        "shadow_cost": figures.shadow_cost,
        "unpriced_requests": requests - priced,
        "average_cost": half_even(figures.cost, priced) if priced else None,
        "unique_users": figures.users,
        **named,
    }


@object_type(Policy.SELF, description="Sums over all of the requests.")
class UsageTotals(UsageFigures):
    @classmethod
    def of(cls, figures: Figures) -> Self:
        return cls(**_fields(figures))


@object_type(Policy.SELF, description="Sums over the requests of one hour or day.")
class UsagePoint(UsageFigures):
    start: datetime = attribute(description="Where it begins; the first one where the span does.")

    @classmethod
    def of(cls, start: datetime, figures: Figures) -> Self:
        return cls(start=start, **_fields(figures))


@object_type(Policy.SELF, description="Sums over the requests that have something in common.")
class UsageGroup(UsageFigures):
    dimension: strawberry.Private[UsageDimension]
    key: strawberry.Private[uuid.UUID | None]
    name: str | None = attribute(
        description="Provider or model as named when it served, null where nobody served; the"
        " status; the error class, null without one; SYSTEM or BYOK. Null for users,"
        " organisations and keys."
    )

    @classmethod
    def of(cls, dimension: UsageDimension, group: Group) -> Self:
        return cls(dimension=dimension, key=group.id, name=group.name, **_fields(group.figures))

    @edge(description="The provider, by PROVIDER; null when gone.", graphql_type=Provider | None)
    def provider(self, info: Info) -> Awaitable[Provider | None] | None:
        return self._load(info, UsageDimension.PROVIDER, Provider.fetch)

    @edge(description="The model, by MODEL; null when it is gone.", graphql_type=Model | None)
    def model(self, info: Info) -> Awaitable[Model | None] | None:
        return self._load(info, UsageDimension.MODEL, Model.fetch)

    @edge(description="The person, by USER; null when gone.", graphql_type=User | None)
    def user(self, info: Info) -> Awaitable[User | None] | None:
        return self._load(info, UsageDimension.USER, User.fetch)

    @edge(
        description="The organisation, by ORGANIZATION; null for none.",
        graphql_type=Organization | None,
    )
    def organization(self, info: Info) -> Awaitable[Organization | None] | None:
        return self._load(info, UsageDimension.ORGANIZATION, Organization.fetch)

    @edge(description="The key, by API_KEY; null for none.", graphql_type=ApiKey | None)
    def api_key(self, info: Info) -> Awaitable[ApiKey | None] | None:
        return self._load(info, UsageDimension.API_KEY, ApiKey.fetch)

    def _load(self, info: Info, dimension: UsageDimension, batch: Any) -> Awaitable[Any] | None:
        if self.key is None or self.dimension is not dimension:
            return None
        return info.context.load(batch, self.key)


@object_type(Policy.SELF, description="The groups that cost most, and all the others together.")
class UsageBreakdown:
    groups: list[UsageGroup] = attribute(size=MAX_SIZE)
    other: UsageTotals | None = attribute(description="Null when `groups` holds everything.")


@object_type(Policy.SELF, description="The requests of a span of time, summed up.")
class UsageSummary:
    query: strawberry.Private[UsageQuery]
    zone: strawberry.Private[tzinfo]
    span: strawberry.Private[Span]
    days: strawberry.Private[int | None]
    event: strawberry.Private[Hashable]
    since: datetime = attribute(name="from", description="Included.")
    until: datetime = attribute(name="to", description="Not included.")

    @classmethod
    def of(
        cls, query: UsageQuery, span: Span, zone: tzinfo, days: int | None, batch: int | None = None
    ) -> Self:
        """`days`: how many calendar days, when the span is a period. `batch`: the newest, when it
        is told of as an event."""
        return cls(
            query=query,
            zone=zone,
            span=span,
            days=days,
            event=None if batch is None else (batch, query, str(zone), days),
            since=span.since,
            until=span.until,
        )

    @edge(description="All of them together.", graphql_type=UsageTotals, weight=ANALYTICS)
    async def totals(self, info: Info) -> UsageTotals:
        return UsageTotals.of(await totals_of(info, self.query))

    @edge(
        description="What they are made of.",
        graphql_type=UsageBreakdown,
        weight=ANALYTICS,
    )
    async def breakdown(
        self,
        info: Info,
        by: UsageDimension,
        top: Annotated[
            int, strawberry.argument(description=f"How many groups, at most {MAX_SIZE}.")
        ] = 10,
    ) -> UsageBreakdown:
        if not 1 <= top <= MAX_SIZE:
            raise InvalidInput("top", f"`top` lies between 1 and {MAX_SIZE}.")
        groups, rest = await breakdown_of(info, self.query, by, top)
        return UsageBreakdown(
            groups=[UsageGroup.of(by, group) for group in groups],
            other=None if rest is None else UsageTotals.of(rest),
        )

    @edge(
        description="How it went over time: every hour or day of the span, empty ones too.",
        graphql_type=list[UsagePoint],
        size=MOST_POINTS,
        weight=ANALYTICS,
    )
    async def series(
        self,
        info: Info,
        interval: Interval = Interval.DAY,
        last: Annotated[
            int | None, strawberry.argument(description="Only so many, the newest.")
        ] = None,
    ) -> list[UsagePoint]:
        starts = starts_of(self.span, interval, self.zone)
        if last is not None:
            if not 1 <= last <= MOST_POINTS:
                raise InvalidInput("last", f"`last` lies between 1 and {MOST_POINTS}.")
            starts = starts[-last:]
        query = replace(self.query, since=starts[0])
        async with info.context.read() as session:
            found = await queries.series(session, query, starts, wanted_below(info))
        return [UsagePoint.of(start, figures) for start, figures in zip(starts, found, strict=True)]

    @edge(
        description="The span of the same length before, to compare with: of a period the same part"
        " of the calendar days before it, of a range that is not over as much as is over.",
        graphql_type="UsageSummary",
    )
    def previous(self) -> "UsageSummary":
        span = previous_of(self.span, self.days, self.zone, datetime.now(UTC))
        query = replace(self.query, since=span.since, until=span.until)
        return UsageSummary.of(query, span, self.zone, self.days)

    @edge(
        description="The requests themselves, newest first, each with its decision.",
        graphql_type=Connection[UsageRecord],
        size=20,
    )
    async def records(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UsageRecord]:
        asked = RecordsAsked(self.query, descending=True)
        arguments = PageArguments(first, after, last, before)
        return await USAGE_RECORDS.whole(info.context, asked, arguments)
