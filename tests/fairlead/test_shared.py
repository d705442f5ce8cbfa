"""What many subscribers are told alike is made once, and never told to whom it is not for."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from uuid_utils.compat import uuid7

from domain.conflate import conflated
from domain.hub import Batch, Hub
from domain.principal import Principal, Role
from fairlead.graphql.rights import rights_of
from fairlead.graphql.shared import Group, Member, Shared, variables_below
from schema.several import Together


def counted(answer: bytes) -> tuple[list[int], Callable[[], Any]]:
    calls: list[int] = []

    async def make() -> bytes:
        calls.append(1)
        await asyncio.sleep(0)
        return answer

    return calls, make


async def told(group: Group, event: Hashable, make: Callable[[], Any]) -> bytes:
    found = group.tell(event, make)
    return found if isinstance(found, bytes) else await asyncio.shield(found)


async def test_who_asks_first_makes_it_for_all() -> None:
    group, (calls, make) = Group(), counted(b"x")

    assert await asyncio.gather(*(told(group, "key", make) for _ in range(50))) == [b"x"] * 50
    assert group.tell("key", make) == b"x"
    assert len(calls) == 1
    assert await told(group, "other", make) == b"x"
    assert len(calls) == 2


async def test_what_is_nobody_elses_is_made_each_time() -> None:
    group, (calls, make) = Group(), counted(b"x")

    assert [await told(group, None, make) for _ in range(3)] == [b"x"] * 3
    assert len(calls) == 3


def test_a_group_lasts_as_long_as_somebody_belongs_to_it() -> None:
    shared = Shared()
    mine = shared.group("who asks what")

    assert shared.group("who asks what") is mine
    assert shared.group("who asks something else") is not mine


async def test_one_who_leaves_does_not_take_it_from_the_others() -> None:
    group, (calls, make) = Group(), counted(b"x")
    first = asyncio.ensure_future(told(group, "key", make))
    second = asyncio.ensure_future(told(group, "key", make))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == b"x"
    assert len(calls) == 1


async def test_what_is_long_past_is_forgotten() -> None:
    group, (calls, make) = Group(most=2), counted(b"x")
    for key in ("a", "b", "c", "a"):
        await told(group, key, make)

    assert len(calls) == 4


@dataclass
class Said:
    """A payload that says which event it tells; `event` None: its own."""

    text: bytes
    event: str | None = None


ADMIN = Principal(user_id=uuid7(), role=Role.ADMIN, scopes=frozenset())
USER = Principal(user_id=uuid7(), role=Role.USER, scopes=frozenset())


async def heard(
    shared: Shared, caller: Principal, together: Together[Said], *, slow: bytes = b""
) -> list[list[bytes]]:
    """What a subscriber is told of payloads that come together, with the name of whom it is for."""

    async def source() -> AsyncGenerator[Together[Said], None]:
        yield together

    async def who() -> Principal:
        return caller

    async def later(text: bytes) -> bytes:
        await asyncio.sleep(0)
        return text

    def tell(payload: Said, principal: Principal | None) -> bytes | Awaitable[bytes]:
        assert principal is not None
        text = payload.text + principal.role.value.encode()
        return later(text) if payload.text == slow else text

    member = Member(shared, "asked", who)
    return [list(each) async for each in member.told(source(), tell)]


async def test_what_comes_together_is_made_once_for_all_with_the_same_rights() -> None:
    shared, made = Shared(), []

    def make() -> list[Said]:
        made.append(1)
        return [Said(b"a", "a"), Said(b"b")]

    keeps = shared.group(("asked", rights_of(ADMIN)))
    for _ in range(3):
        assert await heard(shared, ADMIN, Together(make, "batch")) == [[b"aADMIN", b"bADMIN"]]
    assert len(made) == 1
    assert await heard(shared, USER, Together(make, "batch")) == [[b"aUSER", b"bUSER"]]
    assert len(made) == 2
    assert keeps.whole("batch") == [b"aADMIN", b"bADMIN"]


async def test_what_comes_together_and_is_only_ones_own_is_made_for_each() -> None:
    shared = Shared()
    keeps = shared.group(("asked", rights_of(USER)))

    assert await heard(shared, USER, Together(lambda: [Said(b"mine")])) == [[b"mineUSER"]]
    assert await heard(shared, USER, Together(lambda: [Said(b"other")])) == [[b"otherUSER"]]
    assert keeps.whole(None) is None


async def test_what_is_there_does_not_wait_for_what_is_not() -> None:
    together = Together(lambda: [Said(b"a", "a"), Said(b"b", "b"), Said(b"c", "c")], "batch")
    shared = Shared()
    keeps = shared.group(("asked", rights_of(USER)))

    parts = await heard(shared, USER, together, slow=b"b")

    assert parts == [[b"aUSER"], [b"bUSER", b"cUSER"]]
    assert keeps.whole("batch") is None


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
        await hub.publish(Batch(number, [1]))
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.5)
    await hub.publish(Batch(200, [0]))
    await asyncio.sleep(0.3)
    listening.cancel()

    assert told[0] == 0
    assert told[-1] == 199
    assert len(told) < 8
