"""Usage events for one subscriber: first what it missed, from the database, then live."""

import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from db.keyset import Row
from db.queries.usage import BYOK, Reach, UsageQuery, usage_of_batches
from db.session import AsyncSession
from domain.hub import Batch, Hub
from domain.reach import covers

MOST_MISSED = 2_000
"""Events that are caught up from the database; a client away for longer reads the list."""
MOST_TOGETHER = 50
"""Events that are handed on at once: some 16 kB, so that a slow client is noticed in time."""


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


class Told(NamedTuple):
    """Items that come together. Where the `key` is the same, so are they; None: who knows."""

    items: Sequence[Row | Missed]
    key: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows which requests. `read` opens a session for them."""

    read: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    query: UsageQuery

    async def follow(self, hub: Hub, after: Position | None) -> AsyncGenerator[Told, None]:
        """Rows in commit order, after the position or from now on, each exactly once; what is
        there together comes together, up to `MOST_TOGETHER`."""
        behind, everything = after, wants_all(self.query)
        async with hub.subscribe(None if after is None else after.batch - 1) as items:
            async for item in items:
                if isinstance(item, Batch):
                    rows = item.rows if after is None else _later(item, after)
                    whole = everything and rows is item.rows
                    found = rows if everything else [r for r in rows if wants(self.query, r)]
                elif behind is not None:
                    found, whole = await self._caught_up(behind, item.number), False
                else:
                    found, whole = [Missed(item.after, item.number, GapReason.TOO_SLOW)], False
                behind = None
                for start in range(0, len(found), MOST_TOGETHER):
                    key = (item.number, start) if whole else None
                    yield Told(found[start : start + MOST_TOGETHER], key)

    async def _caught_up(self, after: Position, until: int) -> Sequence[Row | Missed]:
        async with self.read() as session:
            rows = await usage_of_batches(session, self.query, after, until, MOST_MISSED + 1)
        if len(rows) <= MOST_MISSED:
            return rows
        missed = Missed(rows[MOST_MISSED].batch - 1, until, GapReason.TOO_OLD)
        return [*rows[:MOST_MISSED], missed]


def _later(batch: Batch, position: Position) -> Sequence[Row]:
    """The rows of a batch that come after the position."""
    if batch.number > position.batch:
        return batch.rows
    return [row for row in batch.rows if (row.batch, row.id) > position]


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
