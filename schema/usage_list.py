"""Which finished requests a client asks for, and the list of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import strawberry

from db.keyset import Listed, Ordering
from db.queries import usage as queries
from db.queries.usage import UsageQuery
from domain.reach import reach_of
from schema.context import Context
from schema.enums import UsageStatus
from schema.listing import Listing
from schema.node import key_or_nobody
from schema.pagination import OrderDirection
from schema.usage import UsageRecord


@strawberry.input(description="Which requests; what is left out does not narrow.")
class UsageFilter:
    provider: strawberry.ID | None = None
    model: strawberry.ID | None = None
    api_key: strawberry.ID | None = None
    user: strawberry.ID | None = None
    organization: strawberry.ID | None = None
    statuses: list[UsageStatus] | None = None
    byok: bool | None = strawberry.field(
        default=None, description="With a person's or an organisation's own provider key, or not."
    )


@strawberry.input(description="Which requests; what is left out does not narrow.")
class UsageRecordFilter(UsageFilter):
    since: datetime | None = strawberry.field(
        default=None, name="from", description="Started then or later."
    )
    until: datetime | None = strawberry.field(
        default=None, name="to", description="Started before then."
    )


@strawberry.enum(description="What requests are ordered by.")
class UsageRecordOrderField(StrEnum):
    STARTED = "STARTED"


@strawberry.input(description="An order of requests; by default the newest first.")
class UsageRecordOrder:
    field: UsageRecordOrderField = UsageRecordOrderField.STARTED
    direction: OrderDirection = OrderDirection.DESC


def usage_query(
    context: Context,
    filter: UsageFilter | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> UsageQuery:
    """A filter as the query's own value, within what the caller may see."""
    given = filter or UsageFilter()
    keys = {
        name: None if id is None else key_or_nobody(type_name, id)
        for name, type_name, id in (
            ("provider", "Provider", given.provider),
            ("model", "Model", given.model),
            ("api_key", "ApiKey", given.api_key),
            ("user", "User", given.user),
            ("organization", "Organization", given.organization),
        )
    }
    statuses = None if given.statuses is None else tuple(given.statuses)
    return UsageQuery(
        reach_of(context.caller), since, until, statuses=statuses, byok=given.byok, **keys
    )


@dataclass(frozen=True, slots=True)
class RecordsAsked:
    """A query and its direction."""

    query: UsageQuery
    descending: bool


def records_asked(
    context: Context, filter: UsageRecordFilter | None, order: UsageRecordOrder | None
) -> RecordsAsked:
    """The newest come first."""
    given = filter or UsageRecordFilter()
    query = usage_query(context, given, given.since, given.until)
    return RecordsAsked(query, order is None or order.direction is OrderDirection.DESC)


def _plan(context: Context, asked: RecordsAsked) -> tuple[Listed, Ordering]:
    return queries.usage_records(asked.query, descending=asked.descending)


USAGE_RECORDS = Listing(_plan, UsageRecord.of)
