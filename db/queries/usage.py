"""Reads of finished requests and of the decisions behind them."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, Table, any_, func, or_, select

from db.keyset import Key, Listed, Ordering, Row
from db.models.rollup import UsageCaller
from db.models.usage import DecisionLog, UsageLog
from db.session import AsyncSession

USAGE: Table = UsageLog.metadata.tables[UsageLog.__tablename__]
BYOK = ("USER", "ORGANIZATION")
"""Owners of provider keys that are not the house's."""
_DECISIONS: Table = DecisionLog.metadata.tables[DecisionLog.__tablename__]


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose requests may be seen: everybody's, else a person's and an organisation's."""

    everybody: bool
    user: uuid.UUID
    organization: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """None means any. `since` is included, `until` is not; both are of a request's start."""

    reach: Reach
    since: datetime | None = None
    until: datetime | None = None
    user: uuid.UUID | None = None
    organization: uuid.UUID | None = None
    api_key: uuid.UUID | None = None
    provider: uuid.UUID | None = None
    model: uuid.UUID | None = None
    statuses: tuple[str, ...] | None = None
    byok: bool | None = None


def conditions(query: UsageQuery) -> Sequence[ColumnElement[bool]]:
    """`query` on rows of `llm_usage_logs`; ranges of keys let whole partitions out."""
    reach, columns = query.reach, USAGE.c
    found: list[ColumnElement[bool]] = []
    if not reach.everybody:
        own: ColumnElement[bool] = columns.user_id == reach.user
        if reach.organization is not None:
            own = or_(own, columns.organization_id == reach.organization)
        found.append(own)
    if query.since is not None:
        found.append(columns.id >= first_id(query.since))
    if query.until is not None:
        found.append(columns.id < first_id(query.until))
    for column, wanted in (
        (columns.user_id, query.user),
        (columns.organization_id, query.organization),
        (columns.api_key_id, query.api_key),
        (columns.provider_id, query.provider),
        (columns.model_id, query.model),
    ):
        if wanted is not None:
            found.append(column == wanted)
    if query.api_key is not None and query.user is None:
        found.append(columns.user_id == any_(func.array(_people_of(query.api_key))))
    if query.statuses is not None:
        found.append(columns.status.in_(query.statuses))
    if query.byok is not None:
        found.append(is_byok() if query.byok else ~is_byok())
    return found


def _people_of(api_key: uuid.UUID) -> ScalarSelect[uuid.UUID]:
    """Who has come with a key: requests are found by person, there is no index by key."""
    callers = UsageCaller
    return select(callers.user_id).where(callers.api_key_id == api_key).scalar_subquery()


def is_byok() -> ColumnElement[bool]:
    """Whether a request went out with a person's or an organisation's own key."""
    return func.coalesce(USAGE.c.key_owner.in_(BYOK), False)


def first_id(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 of a moment, to the millisecond."""
    return uuid.UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)


def usage_records(query: UsageQuery, *, descending: bool) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by start."""
    ordering = Ordering("usage.STARTED", (Key(USAGE.c.id, uuid.UUID),), descending)
    return Listed(select(USAGE).where(*conditions(query))), ordering


async def usage_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such request or it is not to be seen."""
    seen = conditions(UsageQuery(reach))
    found = await session.execute(select(USAGE).where(USAGE.c.id.in_(list(ids)), *seen))
    return {row.id: row for row in found}


async def decisions_by_id(session: AsyncSession, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """Decision and attempts by the key of their request, which the caller has seen already."""
    found = await session.execute(select(_DECISIONS).where(_DECISIONS.c.id.in_(list(ids))))
    return {row.id: row for row in found}


async def usage_after(
    session: AsyncSession, query: UsageQuery, after: uuid.UUID | None, most: int
) -> Sequence[Row]:
    """The first `most` rows of a query by key, after one of them."""
    behind = [] if after is None else [USAGE.c.id > after]
    found = await session.execute(
        select(USAGE).where(*conditions(query), *behind).order_by(USAGE.c.id).limit(most)
    )
    return found.all()


async def usage_of_batches(
    session: AsyncSession,
    query: UsageQuery,
    after: tuple[int, uuid.UUID],
    until: int,
    most: int,
) -> Sequence[Row]:
    """The first `most` rows after (batch, key) and up to batch `until`, in that order."""
    batch, id = after
    found = await session.execute(
        select(USAGE)
        .where(
            USAGE.c.batch.between(batch, until),
            or_(USAGE.c.batch > batch, USAGE.c.id > id),
            *conditions(query),
        )
        .order_by(USAGE.c.batch, USAGE.c.id)
        .limit(most)
    )
    return found.all()
