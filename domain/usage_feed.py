"""Usage events for one subscriber: first what it missed, from the database, then live."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from db.keyset import Row
from db.queries.usage import BYOK, Reach, UsageQuery, usage_of_batches
from db.session import AsyncSession
from domain.hub import Gap, Hub
from domain.reach import covers

MOST_MISSED = 2_000
"""Events that are caught up from the database; a client away for longer reads the list."""


class Position(NamedTuple):
    """A request's place in the order of events: batches by number, their rows by key."""

    batch: int
    id: uuid.UUID


class GapReason(StrEnum):
    """Why events are left out."""

    TOO_OLD = "TOO_OLD"
    TOO_SLOW = "TOO_SLOW"


@dataclass(frozen=True, slots=True)
class Missed:
    """Events of the batches after `after` and up to `until` are, in part or whole, left out."""

    after: int
    until: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows which requests. `read` opens a session for them."""

    read: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    query: UsageQuery

    async def follow(self, hub: Hub, after: Position | None) -> AsyncIterator[Row | Missed]:
        """Rows in commit order, after the position or from now on, each exactly once."""
        behind, everything = after, wants_all(self.query)
        async with hub.subscribe(None if after is None else after.batch - 1) as items:
            async for item in items:
                if isinstance(item, Gap) and behind is not None:
                    async for each in self._caught_up(behind, item.number):
                        yield each
                elif isinstance(item, Gap):
                    yield Missed(item.after, item.number, GapReason.TOO_SLOW)
                else:
                    for row in item.rows:
                        if _is_after(row, after) and (everything or wants(self.query, row)):
                            yield row
                behind = None

    async def _caught_up(self, after: Position, until: int) -> AsyncIterator[Row | Missed]:
        async with self.read() as session:
            rows = await usage_of_batches(session, self.query, after, until, MOST_MISSED + 1)
        for row in rows[:MOST_MISSED]:
            yield row
        if len(rows) > MOST_MISSED:
            yield Missed(rows[MOST_MISSED].batch - 1, until, GapReason.TOO_OLD)


def _is_after(row: Row, position: Position | None) -> bool:
    return position is None or (row.batch, row.id) > position


def wants(query: UsageQuery, row: Any) -> bool:
    """The query on a row at hand: whose it is is looked at for every one."""
    asked = (
        (query.user, row.user_id),
        (query.organization, row.organization_id),
        (query.api_key, row.api_key_id),
        (query.provider, row.provider_id),
        (query.model, row.model_id),
    )
    return (
        covers(query.reach, row)
        and all(wanted is None or wanted == found for wanted, found in asked)
        and (query.statuses is None or row.status in query.statuses)
        and (query.byok is None or query.byok == (row.key_owner in BYOK))
    )


def wants_all(query: UsageQuery) -> bool:
    """Whether nothing narrows it, so that no row needs to be looked at."""
    reach = query.reach
    return query == UsageQuery(Reach(True, reach.user, reach.organization))
