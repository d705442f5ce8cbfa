"""Usage events: live, in commit order, resumable, only the subscriber's own, gaps told."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from db.models.user import User
from db.session import Database
from domain import usage_feed
from domain.principal import MemberRole, Principal
from gateway.feed import Feed
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.listening import Listener, NotingHub
from tests.resolvers.requests import settle


@pytest.fixture
def hub() -> NotingHub:
    return NotingHub()


@pytest.fixture
async def feed(database: Database, hub: NotingHub) -> AsyncIterator[Feed]:
    found = Feed(database, hub, poll_seconds=0.01)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def listener(graphql: GraphQL, hub: NotingHub, feed: Feed) -> AsyncIterator[Listener]:
    found = Listener(graphql, hub)
    yield found
    await found.stop()


async def test_a_request_is_told_of_as_it_settles(
    graphql: GraphQL, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    await settle(graphql, {"user_id": user.user_id, "requested_model": "before"})
    await listener.start(user)
    await hub.reached()

    await settle(graphql, {"user_id": user.user_id, "requested_model": "while"})

    event = await listener.item()
    assert event["record"] == {"requestedModel": "while", "user": {"name": "Uma"}}
    assert event["cursor"]


async def test_what_one_event_loaded_is_loaded_anew_for_the_next(
    graphql: GraphQL, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    await listener.start(user)
    await hub.reached()
    await settle(graphql, {"user_id": user.user_id})
    before = (await listener.item())["record"]["user"]
    async with graphql.database.write(None) as session:
        person = await session.get_one(User, user.user_id)
        person.name = "Una"

    await settle(graphql, {"user_id": user.user_id})

    assert before == {"name": "Uma"}
    assert (await listener.item())["record"]["user"] == {"name": "Una"}


async def test_each_hears_of_what_is_theirs_to_see(
    graphql: GraphQL, user: Principal, admin: Principal, hub: NotingHub, feed: Feed
) -> None:
    governor = replace(admin, role=user.role, organization_role=MemberRole.ADMIN, user_id=uuid7())
    callers = {user: ["mine"], governor: ["ours"], admin: ["mine", "ours", "theirs"]}
    listeners = [(Listener(graphql, hub), caller) for caller in callers]
    for one, caller in listeners:
        await one.start(caller)
    await hub.reached()

    await settle(
        graphql,
        {"user_id": user.user_id, "requested_model": "mine"},
        {"user_id": uuid7(), "organization_id": admin.organization_id, "requested_model": "ours"},
        {"user_id": uuid7(), "organization_id": uuid7(), "requested_model": "theirs"},
    )
    for one, caller in listeners:
        assert await one.models(len(callers[caller])) == callers[caller]

    last = {"user_id": user.user_id, "organization_id": admin.organization_id}
    await settle(graphql, {**last, "requested_model": "end"})
    for one, _ in listeners:
        assert await one.models(1) == ["end"]
        await one.stop()


async def test_a_filter_narrows_what_is_heard(
    graphql: GraphQL, admin: Principal, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    wanted = {"user": global_id("User", user.user_id), "statuses": ["OK"]}
    await listener.start(admin, filter=wanted)
    await hub.reached()

    await settle(
        graphql,
        {"requested_model": "somebody's"},
        {"user_id": user.user_id, "status": "ERROR", "requested_model": "failed"},
        {"user_id": user.user_id, "requested_model": "wanted"},
    )

    assert await listener.models(1) == ["wanted"]


async def test_goes_on_behind_the_last_event_seen(
    graphql: GraphQL, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    await listener.start(user)
    await hub.reached()
    mine = {"user_id": user.user_id}
    await settle(graphql, *({**mine, "requested_model": str(n)} for n in range(3)))
    seen = [await listener.item() for _ in range(2)]
    await listener.stop()
    await settle(graphql, {**mine, "requested_model": "3"})

    await listener.start(user, after=seen[-1]["cursor"])
    await hub.reached()
    await settle(graphql, {**mine, "requested_model": "4"})

    assert await listener.models(3) == ["2", "3", "4"]


async def test_what_the_hub_has_forgotten_is_read_from_the_database(
    graphql: GraphQL, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    await listener.start(user)
    await hub.reached()
    await settle(graphql, {"user_id": user.user_id, "requested_model": "seen"})
    cursor = (await listener.item())["cursor"]
    for n in range(9):
        await settle(graphql, {"user_id": user.user_id, "requested_model": str(n)}, {})
    await hub.reached(10)
    await listener.stop()

    await listener.start(user, after=cursor)

    assert await listener.models(9) == [str(n) for n in range(9)]


async def test_more_than_can_be_caught_up_is_a_gap(
    graphql: GraphQL,
    user: Principal,
    listener: Listener,
    hub: NotingHub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage_feed, "MOST_MISSED", 2)
    await listener.start(user)
    await hub.reached()
    mine = {"user_id": user.user_id}
    await settle(graphql, {**mine, "requested_model": "seen"})
    cursor = (await listener.item())["cursor"]
    for n in range(9):
        await settle(graphql, {**mine, "requested_model": str(n)})
    await hub.reached(10)
    await listener.stop()

    await listener.start(user, after=cursor)

    assert await listener.models(2) == ["0", "1"]
    gap = await listener.item()
    assert gap == {"reason": "TOO_OLD", "afterBatch": 3, "untilBatch": 10}
    await settle(graphql, {**mine, "requested_model": "next"})
    assert await listener.models(1) == ["next"]


async def test_a_slow_subscriber_hears_of_the_gap(
    graphql: GraphQL, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    await listener.start(user)
    await hub.reached()
    mine = {"user_id": user.user_id}
    await settle(graphql, *({**mine, "requested_model": str(n)} for n in range(2)))
    assert await listener.models(1) == ["0"]
    for n in range(4):
        await settle(graphql, {**mine, "requested_model": str(n)}, {**mine})
    await hub.reached(5)

    assert await listener.models(1) == ["1"]
    assert (await listener.item())["reason"] == "TOO_SLOW"


async def test_ends_when_the_right_to_see_ends(
    graphql: GraphQL, user: Principal, listener: Listener, hub: NotingHub
) -> None:
    await listener.start(replace(user, expires_at=time.time() - 1))
    await hub.reached()

    await settle(graphql, {"user_id": user.user_id})

    with pytest.raises(StopAsyncIteration):
        await listener.result()


@pytest.mark.parametrize("cursor", ["", "nonsense", "WzAsIjAwIl0", "Wy0xLCIwMTkzOGEwMCJd"])
async def test_refuses_a_cursor_of_something_else(
    user: Principal, listener: Listener, cursor: str
) -> None:
    await listener.start(user, after=cursor)

    result = await listener.result()
    assert "not a cursor" in str(result.errors)


async def test_strangers_hear_nothing(listener: Listener, hub: NotingHub) -> None:
    await listener.start(None)

    result = await listener.result()
    assert [(error.extensions or {}).get("code") for error in result.errors or ()] == [
        "UNAUTHENTICATED"
    ]
    assert not hub.watched
