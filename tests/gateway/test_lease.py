"""Leases: a busy wallet's requests wait for no database, and its money stays exact."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from db.queries.hold import Granted, HoldRequest
from db.session import Database
from domain.errors import InsufficientCredits, Unavailable
from domain.snapshot import KeyPolicy
from gateway.holds import Holds
from gateway.spool import Spool
from tests.db.money import asks, check, fund, one, wallet
from tests.gateway.plane import MICRO, identity, serving
from tests.gateway.purse import Paying, paying
from tests.gateway.test_credits import SMALL, ask
from tests.outage import outage
from tests.provider.server import FakeProvider

PERSON = identity("user")
RICH = 1_000_000_000_000
COST = 100 * 3_000 + 20 * 15_000
AMOUNT = 1_000
LIFE = 1.0
"""Seconds."""


@pytest.fixture
async def holds(database: Database) -> AsyncIterator[Holds]:
    """The wallet is rich."""
    await fund(database, PERSON, RICH)
    holds = Holds(database, uuid7())
    await holds.start()
    yield holds
    await holds.stop()
    await check(database)


@pytest.fixture
async def till(
    database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> AsyncIterator[Paying]:
    """Credits are enforced, and the wallet is rich."""
    await fund(database, PERSON, RICH)
    async with paying(database, tmp_path, fake_provider.host_port) as till:
        till.plane.credits()
        one = till.plane.provider("one", fake_provider.base_url, keys=("sk-one",))
        till.plane.model(one, SMALL, input=3 * MICRO, output=15 * MICRO)
        yield till


async def lent(holds: Holds, amount: int = AMOUNT, of: uuid.UUID = PERSON) -> uuid.UUID:
    """The lease that grants `amount`, once there is one."""
    async with asyncio.timeout(10):
        while True:
            lease = holds.leased(of, amount)
            if lease is not None:
                return lease
            await asyncio.sleep(0.01)


async def change(database: Database, statement: str) -> None:
    async with database.write(None) as session:
        await session.execute(text(statement))


async def held(database: Database) -> int:
    return (await wallet(database, PERSON))[1]


async def given_back(database: Database, within: float) -> bool:
    until = time.monotonic() + within
    while await held(database):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.05)
    return True


async def busy(till: Paying) -> None:
    """Until a request was granted from a lease."""
    async with asyncio.timeout(20):
        while not await one(
            till.database, "SELECT count(*) FROM holds WHERE leased_until IS NOT NULL"
        ):
            await ask(till, max_tokens=50)


async def test_requests_of_a_busy_wallet_do_not_wait_for_the_database(
    till: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[HoldRequest] = []
    grant = till.holds._desk.grant

    async def seen(process: uuid.UUID, requests: list[HoldRequest]) -> list[Granted]:
        asked.extend(requests)
        return await grant(process, requests)

    monkeypatch.setattr(till.holds._desk, "grant", seen)
    for turn in range(60):
        await ask(till, max_tokens=50, stream=turn % 2 == 0)
    await till.settle()

    assert 0 < len(asked) < 30
    assert await wallet(till.database, PERSON) == (RICH - 60 * COST, 0, False)
    assert await one(till.database, "SELECT sum(credits_charged) FROM llm_usage_logs") == 60 * COST
    kinds = "SELECT count(DISTINCT decision -> 'credits') FROM llm_decisions"
    assert await one(till.database, kinds) == 1
    await check(till.database)


async def test_what_is_leased_is_given_back_soon_after_the_last_request(till: Paying) -> None:
    await busy(till)

    assert await held(till.database) > 0
    assert await given_back(till.database, 5)
    await check(till.database)


async def test_what_is_leased_is_given_back_at_the_end(database: Database, holds: Holds) -> None:
    await lent(holds)

    await holds.stop()

    assert holds.leased(PERSON, AMOUNT) is None
    assert await one(database, "SELECT amount FROM holds") == AMOUNT
    assert await one(database, "SELECT count(*) FROM holds WHERE leased_until IS NOT NULL") == 0


async def test_a_lease_grants_what_it_has_and_nothing_more(
    database: Database, holds: Holds
) -> None:
    lease = await lent(holds)
    amount = await one(database, f"SELECT amount FROM holds WHERE request_id = '{lease}'")

    count = 1
    while holds.leased(PERSON, AMOUNT) == lease:
        count += 1

    assert holds.leased(PERSON, amount + 1) is None
    assert count == amount // AMOUNT
    assert RICH // 32 >= amount >= 2 * AMOUNT
    assert holds.leased(identity("other"), AMOUNT) is None


@pytest.mark.parametrize("spend", ["frozen", "deleted"])
async def test_who_may_not_pay_any_more_is_lent_nothing_after_a_second(
    database: Database, holds: Holds, spend: str
) -> None:
    await lent(holds)
    kind = {
        "frozen": f"UPDATE wallets SET frozen = true WHERE id = '{PERSON}'",
        # As far as it goes: an administrator takes all that is available.
        "deleted": f"UPDATE wallets SET credit_limit = 0, posted = held WHERE id = '{PERSON}'",
    }[spend]
    await change(database, kind)
    changed = last = time.monotonic()

    while time.monotonic() < changed + 3 * LIFE:
        if holds.leased(PERSON, AMOUNT) is not None:
            last = time.monotonic()
        await asyncio.sleep(0.01)

    assert last - changed < LIFE + 0.2
    with pytest.raises(InsufficientCredits):
        await holds.take(asks(PERSON, AMOUNT), ())
    await change(
        database, f"UPDATE wallets SET frozen = false, posted = {RICH} WHERE id = '{PERSON}'"
    )


async def test_a_wallet_that_is_paid_into_is_lent_of(database: Database, holds: Holds) -> None:
    poor = identity("poor")
    await fund(database, poor, 40 * AMOUNT)
    for _ in range(60):
        assert holds.leased(poor, AMOUNT) is None
        await asyncio.sleep(0.02)

    await fund(database, poor, 4_000 * AMOUNT)

    await lent(holds, of=poor)


async def test_a_lease_is_spent_for_a_second_without_the_database_and_no_longer(
    holds: Holds, database: Database, server_url: str, database_url: str
) -> None:
    await lent(holds)
    leased = time.monotonic()
    async with outage(server_url, database_url):
        away = last = time.monotonic()
        granted = AMOUNT
        while time.monotonic() < away + 2 * LIFE:
            if holds.leased(PERSON, AMOUNT) is not None:
                last = time.monotonic()
                granted += AMOUNT
            await asyncio.sleep(0.05)
        assert last - away < LIFE + 0.2
        # Where the database went away in time.
        assert granted > AMOUNT or away - leased > LIFE / 2
        with pytest.raises(Unavailable):
            await holds.take(asks(PERSON, AMOUNT), ())
    still = "SELECT count(*) FROM holds WHERE leased_until IS NOT NULL"
    for _ in range(150):
        if not await one(database, still):
            break
        await asyncio.sleep(0.2)
    assert await one(database, still) == 0
    lease = await lent(holds)

    await holds.settled()

    assert await held(database) == granted + AMOUNT
    assert await one(database, f"SELECT amount FROM holds WHERE request_id = '{lease}'") == AMOUNT


class Disk(Spool):
    """A disk that takes its time."""

    waiting: asyncio.Event

    async def synced(self) -> None:
        self.waiting.set()
        await asyncio.Event().wait()


async def test_what_was_granted_to_who_left_before_the_dispatch_is_taken_back(
    holds: Holds, database: Database, fake_provider: FakeProvider, tmp_path: Path
) -> None:
    disk = Disk(tmp_path)
    disk.waiting = asyncio.Event()
    await disk.start()
    where = fake_provider.host_port
    async with serving(where, commits=True, recorder=disk, holds=holds) as plane:
        plane.credits()
        plane.model(plane.provider("one", fake_provider.base_url), SMALL)
        lease = await lent(holds, 10_000_000)
        asking = asyncio.create_task(ask(_Client(plane), max_tokens=50))  # type: ignore[arg-type]
        await disk.waiting.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        plane.stop()
    await asyncio.sleep(0.1)
    await holds.settled()

    assert fake_provider.chats == []
    assert await one(database, f"SELECT amount FROM holds WHERE request_id = '{lease}'") == (
        10_000_000
    )
    assert await one(database, "SELECT count(*) FROM settled_requests") == 1
    await disk.close()


class _Client:
    def __init__(self, plane: Any) -> None:
        self.plane = plane


async def test_who_falls_back_on_the_houses_key_has_a_hold_of_its_own(
    till: Paying, fake_provider: FakeProvider
) -> None:
    """It is on record before: a lease would not be in its intent."""
    name = "fake-i10-o5-fail429"
    two = till.plane.provider("two", fake_provider.base_url, keys=("sk-two",))
    till.plane.own_key(two, "sk-own", KeyPolicy.MINE_THEN_SYSTEM)
    till.plane.model(two, name + "x1", input=1 * MICRO, output=4 * MICRO)
    await busy(till)

    await ask(till, f"two/{name}x1")
    await till.settle()

    model = f"SELECT credits_charged FROM llm_usage_logs WHERE model_name = '{name}x1'"
    assert await one(till.database, model) == 10 * 1_000 + 5 * 4_000
    assert await held(till.database) == 0
    await check(till.database)
