"""Spending near its limit is told once for each share, by whichever replica sees it."""

import asyncio
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from db.models.hold import Budget
from db.models.user import Organization, User
from db.models.webhook import Webhook, WebhookDelivery
from db.queries.settlement import Settlements
from db.session import Database
from domain.errors import InsufficientCredits
from domain.event import EventType
from domain.globalid import global_id
from domain.threshold import tell_of_credits, tell_of_refusals, tell_of_spending
from gateway.holds import Holds
from gateway.thresholds import SpendWatch
from tests.db.money import asks, fund, grant
from tests.usage import usage_row

DOLLAR = 10**9
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
async def acme(database: Database) -> Organization:
    """May spend $10 a month; its own webhook, and the installation's, hear of it."""
    made = Organization(slug="acme", name="Acme", limits={"spend_per_month": 10 * DOLLAR})
    async with database.write(None) as session:
        session.add(made)
        await session.flush()
        for owner in (None, made.id):
            types = [EventType.SPEND_THRESHOLD.value]
            session.add(
                Webhook(name="w", url="https://x.example", event_types=types, organization_id=owner)
            )
        session.add(
            Budget(
                id=uuid7(),
                kind="ORGANIZATION",
                subject_id=made.id,
                period="MONTH",
                starts_on=date(2026, 11, 1),
            )
        )
    return made


async def spend(database: Database, dollars: float) -> None:
    async with database.write(None) as session:
        await session.execute(update(Budget).values(spent=int(dollars * DOLLAR)))


async def told(database: Database) -> list[Any]:
    """Data of the events, the oldest first, each as often as there were receivers."""
    async with database.read(None) as session:
        found = await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))
        return [json.loads(each.body)["data"] for each in found]


async def test_each_share_is_told_once_to_the_installation_and_to_its_organisation(
    database: Database, acme: Organization
) -> None:
    counts = []
    for dollars in (4.99, 5, 5.5, 8.000000001, 9.99, 12, 13):
        await spend(database, dollars)
        await asyncio.gather(*(tell_of_spending(database, NOW) for _ in range(3)))
        counts.append(len(await told(database)))

    found = await told(database)
    assert counts == [0, 2, 2, 4, 4, 6, 6]
    assert [each["percent"] for each in found] == [50, 50, 80, 80, 100, 100]
    assert found[2] == {
        "ownerId": global_id("Organization", acme.id),
        "ownerKind": "ORGANIZATION",
        "period": "MONTH",
        "startsOn": "2026-11-01",
        "percent": 80,
        "spent": "8.000000001",
        "limit": "10",
    }


async def test_of_shares_passed_at_once_only_the_greatest_is_told(
    database: Database, acme: Organization
) -> None:
    await spend(database, 11)

    assert await tell_of_spending(database, NOW) == 1
    assert {each["percent"] for each in await told(database)} == {100}


async def test_periods_long_gone_and_limits_that_were_lifted_are_not_told(
    database: Database, acme: Organization
) -> None:
    await spend(database, 11)
    later = await tell_of_spending(database, datetime(2027, 1, 2, tzinfo=UTC))
    async with database.write(None) as session:
        await session.execute(update(Organization).values(limits={"spend_per_month": None}))

    assert (later, await tell_of_spending(database, NOW)) == (0, 0)


async def test_a_persons_own_limit_is_no_affair_of_an_organisation(
    database: Database, acme: Organization
) -> None:
    person = User(
        issuer="fairlead",
        subject="uma",
        name="Uma",
        role="USER",
        limits={"spend_per_day": DOLLAR},
    )
    async with database.write(None) as session:
        session.add(person)
        await session.flush()
        session.add(
            Budget(
                id=uuid7(),
                kind="USER",
                subject_id=person.id,
                period="DAY",
                starts_on=NOW.date(),
                spent=DOLLAR,
            )
        )

    assert await tell_of_spending(database, NOW) == 1
    [found] = await told(database)
    assert (found["ownerKind"], found["period"], found["percent"]) == ("USER", "DAY", 100)


async def test_credits_that_are_low_are_told_with_the_charge_that_made_them_so(
    database: Database, acme: Organization
) -> None:
    async with database.write(None) as session:
        types = [EventType.CREDITS_LOW.value, EventType.CREDITS_EXHAUSTED.value]
        await session.execute(update(Webhook).values(event_types=types))
    await fund(database, acme.id, 10 * DOLLAR, "ORGANIZATION")
    for spend in (5, 4, 0.5):
        request = asks(acme.id, int(spend * DOLLAR))
        await grant(database, request)
        row = usage_row(id=request.request_id, spend=int(spend * DOLLAR), wallet_id=acme.id)
        await Settlements(database, tell_of_credits).settle([row])
    for _ in range(2):
        await tell_of_refusals(database, {acme.id})

    found = await told(database)
    assert found == [found[0]] * 2 + [found[2]] * 2
    assert found[0] == {
        "ownerId": global_id("Organization", acme.id),
        "ownerKind": "ORGANIZATION",
        "balance": "1",
        "creditLimit": "0",
        "lowMark": "1",
    }
    assert found[2] == found[0] | {"balance": "0.5"}


async def test_a_refusal_is_told_of_within_seconds_however_many_there_are(
    database: Database, acme: Organization
) -> None:
    async with database.write(None) as session:
        types = [EventType.CREDITS_EXHAUSTED.value]
        await session.execute(update(Webhook).values(event_types=types))
    await fund(database, acme.id, 10 * DOLLAR, "ORGANIZATION")
    request = asks(acme.id, 9 * DOLLAR)
    await grant(database, request)
    row = usage_row(id=request.request_id, spend=9 * DOLLAR, wallet_id=acme.id)
    await Settlements(database, tell_of_credits).settle([row])
    holds = Holds(database, uuid7())
    await holds.start()
    began = asyncio.get_running_loop().time()
    refused = await asyncio.gather(
        *(holds.take(asks(acme.id, 2 * DOLLAR), ()) for _ in range(50)), return_exceptions=True
    )
    async with asyncio.timeout(20):
        while True:
            if await told(database):
                break
            await asyncio.sleep(0.05)
    took = asyncio.get_running_loop().time() - began
    await holds.stop()

    assert {type(each) for each in refused} == {InsufficientCredits}
    assert len(await told(database)) == 2
    assert took < 10


async def test_a_running_process_looks_by_itself(database: Database, acme: Organization) -> None:
    watch = SpendWatch(database, look_seconds=0.05)
    await watch.start()
    await spend(database, 6)
    async with asyncio.timeout(10):
        while True:
            if await told(database):
                break
            await asyncio.sleep(0.02)
    await watch.stop()
