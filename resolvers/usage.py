"""What we do when asked about finished requests."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import strawberry

from auth.policies import Policy
from domain.conflate import conflated
from domain.period import Period, span_of, zone_of
from domain.principal import has_ended
from domain.usage_feed import Follower, Missed, wants
from schema.context import Context, Info
from schema.enums import ExportFormat
from schema.fields import query_field, subscription_field
from schema.pagination import After, Before, Connection, First, Last, PageArguments
from schema.several import Several, Together
from schema.usage import UsageRecord
from schema.usage_event import UsageEvent, UsageFeedItem, UsageGap, position_of
from schema.usage_export import UsageExport
from schema.usage_list import (
    USAGE_RECORDS,
    UsageFilter,
    UsageRecordFilter,
    UsageRecordOrder,
    records_asked,
    usage_query,
)
from schema.usage_summary import UsageSummary

From = Annotated[
    datetime | None, strawberry.argument(name="from", description="Included; with or without `to`.")
]
To = Annotated[
    datetime | None, strawberry.argument(name="to", description="Not included; by default now.")
]
Zone = Annotated[str, strawberry.argument(description="An IANA name; where days and hours begin.")]


@strawberry.type
class UsageQuery:
    @query_field(
        Policy.SELF,
        description="The requests the caller may see, newest first: their own, their"
        " organisation's as its administrator, everybody's as an administrator.",
        graphql_type=Connection[UsageRecord],
        size=20,
    )
    async def usage_records(
        self,
        info: Info,
        filter: UsageRecordFilter | None = None,
        order_by: UsageRecordOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[UsageRecord]:
        asked = records_asked(info.context, filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return await USAGE_RECORDS.whole(info.context, asked, arguments)

    @query_field(
        Policy.SELF,
        description="The requests the caller may see, summed up: over a period or from a moment to"
        " another, by default over seven days.",
        graphql_type=UsageSummary,
    )
    async def usage(
        self,
        info: Info,
        period: Period | None = None,
        since: From = None,
        until: To = None,
        filter: UsageFilter | None = None,
        time_zone: Zone = "UTC",
    ) -> UsageSummary:
        zone = zone_of(time_zone)
        span = span_of(period, since, until, zone, datetime.now(UTC))
        # Without an end of its own the span takes in all there is: nothing began after now.
        query = usage_query(info.context, filter, span.since, until)
        days = (period or Period.DAYS_7).days if since is None else None
        return UsageSummary.of(query, span, zone, days)

    @query_field(
        Policy.SELF,
        description="A link to the requests the caller may see as a file, oldest first. Whoever has"
        " it may begin the download until it expires. A download that breaks off ends without"
        " HTTP's last chunk: clients report it.",
        graphql_type=UsageExport,
    )
    async def usage_export(
        self,
        info: Info,
        format: ExportFormat,
        period: Period | None = None,
        since: From = None,
        until: To = None,
        filter: UsageFilter | None = None,
        time_zone: Zone = "UTC",
    ) -> UsageExport:
        now = datetime.now(UTC)
        span = span_of(period, since, until, zone_of(time_zone), now)
        query = usage_query(info.context, filter, span.since, span.until)
        return UsageExport.of(info.context, query, format, now)


@strawberry.type
class UsageSubscription:
    @subscription_field(
        Policy.SELF,
        description="Each request the caller may see, as it settles on any replica, in the order"
        " of commits. With `after` nothing is missed in between, or a gap says so.",
        graphql_type=UsageFeedItem,
    )
    async def usage_events(
        self,
        info: Info,
        filter: UsageFilter | None = None,
        after: Annotated[
            str | None, strawberry.argument(description="The cursor of the last event seen.")
        ] = None,
    ) -> AsyncIterator[UsageEvent | UsageGap]:
        return Several(_events(info.context, filter, after))

    @subscription_field(
        Policy.SELF,
        description="The sums of the requests the caller may see: as they are, then anew when some"
        " have settled on any replica, at most twice a second. Who is slow hears only the newest.",
        graphql_type=UsageSummary,
        name="usageTotals",
    )
    async def usage_totals(
        self,
        info: Info,
        period: Period | None = None,
        since: From = None,
        filter: UsageFilter | None = None,
        time_zone: Zone = "UTC",
    ) -> AsyncIterator[UsageSummary]:
        context, zone = info.context, zone_of(time_zone)
        concerned = usage_query(context, filter)
        async for number in conflated(context.hub, partial(wants, concerned)):
            if has_ended(context.caller):
                return
            context.forget()
            span = span_of(period, since, None, zone, datetime.now(UTC))
            query = usage_query(context, filter, span.since)
            days = (period or Period.DAYS_7).days if since is None else None
            yield UsageSummary.of(query, span, zone, days, number)


async def _events(
    context: Context, filter: UsageFilter | None, after: str | None
) -> AsyncGenerator[Together[UsageEvent | UsageGap], None]:
    position = None if after is None else position_of(after)
    follower = Follower(context.read, usage_query(context, filter))
    async for told in follower.follow(context.hub, position):
        if has_ended(context.caller):
            return
        context.forget()
        yield Together(partial(_payloads, told.items), told.key)


def _payloads(items: Sequence[Any]) -> list[UsageEvent | UsageGap]:
    return [
        UsageGap.of(each) if isinstance(each, Missed) else UsageEvent(row=each) for each in items
    ]
