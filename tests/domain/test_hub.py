"""The subscription hub: order, resumption and explicit gaps."""

import asyncio

import pytest

from domain.hub import Batch, Gap, Hub
from tests.turns import taking_turns


def batch(number: int, rows: int = 1) -> Batch:
    return Batch(number, [f"row {number}.{n}" for n in range(rows)])


async def test_every_subscriber_gets_every_batch_in_order() -> None:
    hub = Hub()
    hub.begin(0, 0, [])
    first, second = hub.subscribe(), hub.subscribe()
    for number in (1, 2, 3):
        await hub.publish(batch(number))

    for subscription in (first, second):
        assert [await anext(subscription) for _ in range(3)] == [batch(1), batch(2), batch(3)]


async def test_a_new_subscriber_gets_nothing_from_before() -> None:
    hub = Hub()
    hub.begin(0, 0, [])
    await hub.publish(batch(1))
    subscription = hub.subscribe()
    await hub.publish(batch(2))

    assert await anext(subscription) == batch(2)


async def test_resumes_after_the_number_seen_last() -> None:
    hub = Hub()
    hub.begin(2, 4, [batch(3), batch(4)])
    await hub.publish(batch(5))
    subscription = hub.subscribe(after=3)

    assert [await anext(subscription) for _ in range(2)] == [batch(4), batch(5)]


async def test_a_subscriber_that_came_before_the_feed_began_resumes_too() -> None:
    hub = Hub()
    resumed, fresh = hub.subscribe(after=3), hub.subscribe()
    hub.begin(2, 4, [batch(3), batch(4)])
    await hub.publish(batch(5))

    assert [await anext(resumed) for _ in range(2)] == [batch(4), batch(5)]
    assert await anext(fresh) == batch(5)


async def test_resuming_too_late_says_what_is_missing() -> None:
    hub = Hub()
    hub.begin(7, 8, [batch(8)])
    subscription = hub.subscribe(after=2)

    assert [await anext(subscription) for _ in range(2)] == [Gap(2, 7), batch(8)]


async def test_history_that_grew_too_long_becomes_a_gap() -> None:
    hub = Hub(history_rows=2)
    hub.begin(0, 0, [])
    for number in (1, 2, 3, 4):
        await hub.publish(batch(number))
    subscription = hub.subscribe(after=1)

    assert [await anext(subscription) for _ in range(3)] == [Gap(1, 2), batch(3), batch(4)]


async def test_a_slow_subscriber_gets_a_gap_and_then_what_follows() -> None:
    hub = Hub(queue_rows=2)
    hub.begin(0, 0, [])
    slow, quick = hub.subscribe(), hub.subscribe()
    await hub.publish(batch(1))
    assert await anext(slow) == batch(1)
    assert await anext(quick) == batch(1)
    for number in (2, 3, 4, 5):
        await hub.publish(batch(number))
        assert await anext(quick) == batch(number)

    assert [await anext(slow) for _ in range(2)] == [Gap(1, 4), batch(5)]


async def test_two_overflows_are_one_gap() -> None:
    hub = Hub(queue_rows=1)
    hub.begin(0, 0, [])
    slow = hub.subscribe()
    for number in (1, 2, 3, 4):
        await hub.publish(batch(number))

    assert await anext(slow) == Gap(0, 4)


async def test_a_batch_larger_than_the_queue_is_still_delivered_to_whoever_keeps_up() -> None:
    hub = Hub(queue_rows=2)
    hub.begin(0, 0, [])
    subscription = hub.subscribe()
    await hub.publish(batch(1, rows=5))

    assert await anext(subscription) == batch(1, rows=5)


async def test_waits_for_the_next_batch() -> None:
    hub = Hub()
    hub.begin(0, 0, [])
    waiting = asyncio.ensure_future(anext(hub.subscribe()))
    await asyncio.sleep(0)
    assert not waiting.done()
    await hub.publish(batch(1))

    assert await waiting == batch(1)


async def test_closing_ends_the_iteration_and_the_subscription() -> None:
    hub = Hub()
    hub.begin(0, 0, [])
    async with hub.subscribe() as subscription:
        assert hub.watched
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert not hub.watched


async def test_a_subscription_let_go_is_forgotten() -> None:
    hub = Hub()
    subscription = hub.subscribe()
    assert hub.watched
    del subscription
    assert not hub.watched


@pytest.mark.parametrize(("subscribers", "rows", "least"), [(200, 1, 4), (10, 2_000, 9)])
async def test_others_have_their_turn_while_much_is_told(
    subscribers: int, rows: int, least: int
) -> None:
    hub = Hub()
    hub.begin(0, 0, [])
    subscriptions = [hub.subscribe() for _ in range(subscribers)]

    async with taking_turns() as turns:
        await hub.publish(batch(1, rows))

    assert turns.had >= least
    assert [await anext(each) for each in subscriptions] == [batch(1, rows)] * subscribers


async def test_who_comes_while_others_are_told_hears_it_once_or_not_at_all() -> None:
    hub = Hub()
    hub.begin(0, 0, [])
    first = [hub.subscribe() for _ in range(200)]
    publishing = asyncio.ensure_future(hub.publish(batch(1)))
    await asyncio.sleep(0)
    fresh, resumed = hub.subscribe(), hub.subscribe(after=0)
    await publishing
    await hub.publish(batch(2))

    assert await anext(fresh) == batch(2)
    assert [await anext(resumed) for _ in range(2)] == [batch(1), batch(2)]
    assert [await anext(first[-1]) for _ in range(2)] == [batch(1), batch(2)]
