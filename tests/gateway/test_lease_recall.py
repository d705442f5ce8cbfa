"""What is leased is no reason to refuse: before a wallet does, all processes give it back."""

import asyncio
import time

import pytest
from uuid_utils.compat import uuid7

from db.queries.lease import Wish, renew
from db.session import Database
from domain.errors import InsufficientCredits
from gateway.holds import Holds
from tests.db.money import PROCESS, asks
from tests.gateway.test_lease import AMOUNT, LIFE, PERSON, RICH, held, holds, lent

__all__ = ["holds"]


async def test_credits_that_are_leased_are_no_reason_to_refuse(
    database: Database, holds: Holds
) -> None:
    """Of two processes each has a lease, and nobody has spent anything."""
    other = Holds(database, uuid7())
    await other.start()
    granted = 0
    for each in (holds, other):
        await lent(each)
        granted += AMOUNT
    stopped = asyncio.Event()

    async def ask_on() -> int:
        """The other process is busy all the time."""
        found = 0
        while not stopped.is_set():
            found += AMOUNT * (other.leased(PERSON, AMOUNT) is not None)
            await asyncio.sleep(0.01)
        return found

    asking = asyncio.create_task(ask_on())
    await asyncio.sleep(0.3)
    began = time.monotonic()
    too_much = asks(PERSON, RICH)
    with pytest.raises(InsufficientCredits):
        await holds.take(too_much, ())
    waited = time.monotonic() - began
    stopped.set()
    granted += await asking

    everything = asks(PERSON, RICH - granted)
    assert await holds.take(everything, ()) == RICH - granted
    with pytest.raises(InsufficientCredits, match=r"\$0 of credits"):
        await holds.take(asks(PERSON, 1), ())
    assert 0 < waited < 3 * LIFE
    assert [each.leased(PERSON, 0) for each in (holds, other)] == [None, None]
    await other.stop()
    holds.give_back(everything.request_id)
    await holds.settled()
    assert await held(database) == granted


async def test_the_last_credits_are_granted_while_others_lease_some_of_them(
    database: Database, holds: Holds
) -> None:
    other = Holds(database, uuid7())
    await other.start()
    await lent(holds)
    await lent(other)

    everything = asks(PERSON, RICH - 2 * AMOUNT)
    assert await holds.take(everything, ()) == RICH - 2 * AMOUNT

    await other.stop()
    holds.give_back(everything.request_id)
    await holds.settled()


async def test_who_is_refused_waits_for_no_process_that_is_gone(
    database: Database, holds: Holds
) -> None:
    async with database.write(None) as session:
        await renew(session, PROCESS, [Wish(uuid7(), PERSON, AMOUNT, 1)], [])

    began = time.monotonic()
    with pytest.raises(InsufficientCredits):
        await holds.take(asks(PERSON, RICH), ())
    first = time.monotonic() - began
    with pytest.raises(InsufficientCredits):
        await holds.take(asks(PERSON, RICH), ())

    assert first < 3 * LIFE
    assert time.monotonic() - began - first < LIFE
