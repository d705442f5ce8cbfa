"""What many subscribers are told alike is made once, and never told to whom it is not for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from domain.conflate import conflated
from domain.hub import Batch, Hub
from fairlead.graphql.shared import Group, Shared, variables_below


def counted(answer: bytes) -> tuple[list[int], Callable[[], Any]]:
    calls: list[int] = []

    async def make() -> bytes:
        calls.append(1)
        await asyncio.sleep(0)
        return answer

    return calls, make


async def test_who_asks_first_makes_it_for_all() -> None:
    group, (calls, make) = Group(), counted(b"x")

    assert await asyncio.gather(*(group.tell("key", make) for _ in range(50))) == [b"x"] * 50
    assert await group.tell("key", make) == b"x"
    assert len(calls) == 1
    assert await group.tell("other", make) == b"x"
    assert len(calls) == 2
    assert group.told("key") == b"x"
    assert group.told("nothing") is None


def test_a_group_lasts_as_long_as_somebody_belongs_to_it() -> None:
    shared = Shared()
    mine = shared.group("who asks what")

    assert shared.group("who asks what") is mine
    assert shared.group("who asks something else") is not mine


async def test_one_who_leaves_does_not_take_it_from_the_others() -> None:
    group, (calls, make) = Group(), counted(b"x")
    first = asyncio.ensure_future(group.tell("key", make))
    second = asyncio.ensure_future(group.tell("key", make))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == b"x"
    assert len(calls) == 1


async def test_what_is_long_past_is_forgotten() -> None:
    group, (calls, make) = Group(most=2), counted(b"x")
    for key in ("a", "b", "c", "a"):
        await group.tell(key, make)

    assert len(calls) == 4


@pytest.mark.parametrize(
    ("document", "alike"),
    [
        ("subscription ($v: String) { e(after: $v) { a } }", True),
        ("subscription ($v: String) { e { a(x: $v) } }", False),
        ("subscription ($v: String) { e { ...f } } fragment f on E { a(x: $v) }", False),
        ("subscription ($v: Boolean!) { e { a @include(if: $v) } }", False),
        ("subscription ($v: String) { ... on S { e(after: $v) { b { a(x: [$v]) } } } }", False),
    ],
)
def test_only_variables_that_change_what_is_told_set_subscribers_apart(
    document: str, alike: bool
) -> None:
    parsed = parse(document)
    [operation] = [d for d in parsed.definitions if isinstance(d, OperationDefinitionNode)]
    one, other = (variables_below(parsed, operation, {"v": value}) for value in ("1", "2"))

    assert (one == other) is alike


async def test_a_storm_is_told_as_its_newest() -> None:
    hub, told = Hub(queue_rows=5), []

    async def listen() -> None:
        async for number in conflated(hub, bool, apart=0.2):
            told.append(number)

    listening = asyncio.ensure_future(listen())
    await asyncio.sleep(0)
    hub.begin(0, 0, [])
    for number in range(1, 200):
        hub.publish(Batch(number, [1]))
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.5)
    hub.publish(Batch(200, [0]))
    await asyncio.sleep(0.3)
    listening.cancel()

    assert told[0] == 0
    assert told[-1] == 199
    assert len(told) < 8
