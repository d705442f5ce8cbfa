"""Rates are exact over every process, go on without the database, and hold nothing that ended."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from db.queries.configuration import beat
from db.session import Database, create_engine
from domain.errors import LimitExceeded
from domain.rate import Claim, Rate
from gateway.rates import RateLimiter

KEY = uuid.UUID(int=1)
ONE, TWO, THREE = (uuid.UUID(int=n) for n in (11, 12, 13))


@pytest.fixture
async def limiters(database: Database) -> AsyncIterator[list[RateLimiter]]:
    """One a process, three processes alive."""
    for process in (ONE, TWO, THREE):
        async with database.write(None) as session:
            await beat(session, process, "host", 1)
    found = [RateLimiter(database, process) for process in (ONE, TWO, THREE)]
    yield found
    # A round that is cut in the middle holds its locks into the next test.
    await asyncio.gather(*(limiter.stop() for limiter in found))


async def granted(limiter: RateLimiter, claims: list[Claim]) -> bool:
    try:
        await limiter.admit(claims)
    except LimitExceeded:
        return False
    return True


async def test_three_processes_grant_no_more_than_one_would(limiters: list[RateLimiter]) -> None:
    claims = [Claim(KEY, Rate.REQUESTS, 50, 1)]

    results = await asyncio.gather(*(granted(limiters[n % 3], claims) for n in range(200)))

    assert sum(results) == 50


async def test_a_request_that_ended_makes_room_in_every_process(
    limiters: list[RateLimiter],
) -> None:
    claims = [Claim(KEY, Rate.CONCURRENCY, 2, 1)]
    first = await limiters[0].admit(claims)
    await limiters[1].admit(claims)
    with pytest.raises(LimitExceeded, match="2 requests run already"):
        await limiters[2].admit(claims)

    first.close()
    await limiters[0].stop()

    assert await granted(limiters[2], claims)


async def test_what_a_dead_process_had_running_counts_no_more(
    database: Database, limiters: list[RateLimiter]
) -> None:
    dead = RateLimiter(database, uuid.UUID(int=99))
    claims = [Claim(KEY, Rate.CONCURRENCY, 1, 1)]

    await dead.admit(claims)

    assert await granted(limiters[0], claims)
    await dead.stop()


async def test_tokens_are_corrected_to_what_was_used(limiters: list[RateLimiter]) -> None:
    grant = await limiters[0].admit([Claim(KEY, Rate.TOKENS, 100, 90)])
    assert (b"x-ratelimit-remaining-tokens", b"10") in grant.headers
    assert not await granted(limiters[1], [Claim(KEY, Rate.TOKENS, 100, 50)])

    grant.close(40)
    grant.close(0)
    await limiters[0].stop()

    grant = await limiters[1].admit([Claim(KEY, Rate.TOKENS, 100, 50)])
    assert grant.headers == [
        (b"x-ratelimit-limit-tokens", b"100"),
        (b"x-ratelimit-remaining-tokens", b"10"),
    ]


async def test_a_refusal_says_when_to_come_back(limiters: list[RateLimiter]) -> None:
    claims = [Claim(KEY, Rate.REQUESTS, 1, 1)]
    await limiters[0].admit(claims)

    with pytest.raises(LimitExceeded, match="limit of 1 requests a minute") as refused:
        await limiters[1].admit(claims)

    assert refused.value.retry_after is not None
    assert 55 < refused.value.retry_after <= 65


async def test_a_client_that_left_while_waiting_leaves_nothing_running(
    limiters: list[RateLimiter],
) -> None:
    claims = [Claim(KEY, Rate.CONCURRENCY, 1, 1)]
    waiting = asyncio.create_task(limiters[0].admit(claims))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await limiters[0].stop()

    assert await granted(limiters[1], claims)


async def test_without_the_database_a_process_grants_its_share() -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/nowhere")
    limiter = RateLimiter(Database(engine), ONE)
    claims = [Claim(KEY, Rate.REQUESTS, 5, 1)]

    results = [await granted(limiter, claims) for _ in range(8)]

    assert results == [True] * 5 + [False] * 3
    await engine.dispose()
