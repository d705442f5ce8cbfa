"""What a follower is handed: batches in pieces, named alike only where everybody gets the same."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from db.queries.usage import Reach, UsageQuery
from db.session import AsyncSession
from domain.hub import Batch, Hub
from domain.usage_feed import MOST_TOGETHER, Follower, Position

ME = uuid.UUID(int=1)
EVERYBODY = UsageQuery(Reach(everybody=True, user=ME, organization=None))
MINE = replace(EVERYBODY, reach=Reach(everybody=False, user=ME, organization=None))


def batch(number: int, owners: Sequence[int]) -> Batch:
    rows = [
        SimpleNamespace(
            batch=number,
            id=uuid.UUID(int=place),
            user_id=uuid.UUID(int=owner),
            **dict.fromkeys(("organization_id", "api_key_id", "provider_id", "model_id")),
            status="OK",
            key_owner=None,
        )
        for place, owner in enumerate(owners)
    ]
    return Batch(number, rows)


def no_database() -> AbstractAsyncContextManager[AsyncSession]:
    raise AssertionError("everything is in the hub's history")


async def told(query: UsageQuery, batches: Sequence[Batch], after: Position) -> list[Any]:
    """What (`Told`) is handed on, up to the last row of all."""
    hub, found = Hub(), []
    hub.begin(0, batches[-1].number, batches)
    async with aclosing(Follower(no_database, query).follow(hub, after)) as following:
        async for each in following:
            found.append(each)
            if each.items[-1] is batches[-1].rows[-1]:
                break
    return found


async def test_a_large_batch_comes_in_pieces_that_everybody_names_alike() -> None:
    large = batch(2, [7] * (2 * MOST_TOGETHER + 1))

    pieces = await told(EVERYBODY, [batch(1, [7]), large], Position(1, uuid.UUID(int=0)))

    assert [piece.key for piece in pieces] == [(2, 0), (2, MOST_TOGETHER), (2, 2 * MOST_TOGETHER)]
    assert [len(piece.items) for piece in pieces] == [MOST_TOGETHER, MOST_TOGETHER, 1]
    assert [row for piece in pieces for row in piece.items] == list(large.rows)


async def test_a_part_of_a_batch_has_no_name() -> None:
    batches = [batch(1, [7, 7, 7]), batch(2, [7, 1, 7, 1])]

    resumed = await told(EVERYBODY, batches, Position(1, uuid.UUID(int=1)))
    mine = await told(MINE, batches, Position(1, uuid.UUID(int=0)))

    assert [(piece.key, len(piece.items)) for piece in resumed] == [(None, 1), ((2, 0), 4)]
    assert [piece.key for piece in mine] == [None]
    assert [row.user_id for row in mine[0].items] == [ME, ME]
