"""Roll-ups equal the raw rows: for any window, filter, grouping and time zone, late rows too."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from db.queries import usage_raw, usage_totals
from db.queries.settlement import Settlements
from db.queries.usage import Reach, UsageQuery
from db.queries.usage_audit import audit_day
from db.queries.usage_figures import Figures, Wanted
from db.queries.usage_row import UsageRow
from db.queries.week_costs import fold
from db.session import Database
from tests.usage import id_at, usage_row

NOW = datetime.now(UTC)
DAYS = 6
ZONES = ("UTC", "Asia/Kolkata", "Australia/Adelaide", "America/New_York", "Asia/Kathmandu")
WANTED = (Wanted(), Wanted(False, False), Wanted(True, False), Wanted(False, True))
STATUSES = ("OK", "OK", "OK", "ERROR", "CUT", "CANCELLED", "UNKNOWN")


def people(count: int, kind: int) -> list[uuid.UUID]:
    return [uuid.UUID(int=(kind << 64) + n + 1) for n in range(count)]


USERS, ORGANIZATIONS, KEYS = people(12, 1), people(3, 2), people(5, 3)
PROVIDERS, MODELS = people(3, 4), people(8, 5)


def row(random: Random) -> UsageRow:
    """Anything that may have happened in the last days."""
    at = NOW - timedelta(milliseconds=random.randrange(DAYS * 86_400_000))
    if random.random() < 0.2:
        at = at.replace(minute=random.choice((0, 15, 30, 45)), second=0, microsecond=0)
        if at > NOW:
            # What is told up to now may leave out what has not begun, or not: it never happens.
            at -= timedelta(hours=1)
    status = random.choice(STATUSES)
    provider = random.choice([*range(len(PROVIDERS)), None])
    model = random.choice([*range(len(MODELS)), None])
    return usage_row(
        id=id_at(at),
        started_at=at,
        user_id=random.choice(USERS),
        organization_id=random.choice([*ORGANIZATIONS, None]),
        api_key_id=random.choice([*KEYS, None]),
        provider_id=None if provider is None else PROVIDERS[provider],
        provider_slug=None if provider is None else f"provider-{provider}",
        model_id=None if model is None else MODELS[model],
        model_name=None if model is None else f"model-{model}",
        input_tokens=random.randrange(10_000),
        cached_tokens=random.randrange(100),
        output_tokens=random.randrange(1_000),
        cost=random.choice([None, random.randrange(10**9)]),
        key_owner=random.choice(["SYSTEM", "USER", "ORGANIZATION", None]),
        latency_ms=int(random.lognormvariate(6, 2)),
        first_token_ms=random.choice([None, int(random.lognormvariate(4, 1))]),
        status=status,
        error_class=random.choice(["TIMEOUT", "SERVER_ERROR"]) if status == "ERROR" else None,
    )


def question(random: Random) -> UsageQuery:
    """A random window with random filters."""
    edges = sorted(NOW - timedelta(seconds=random.randrange(DAYS * 86_400)) for _ in range(2))
    if random.random() < 0.4:
        zone = ZoneInfo(random.choice(ZONES))
        edges[0] = edges[0].astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    until = random.choice([None, NOW + timedelta(seconds=5), edges[1], edges[1], edges[1]])
    everybody = Reach(True, USERS[0], None)
    governor = Reach(False, random.choice(USERS), random.choice([None, *ORGANIZATIONS]))
    query = UsageQuery(random.choice([everybody, everybody, governor]), edges[0], until)
    choices: dict[str, Sequence[Any]] = {
        "user": USERS,
        "organization": ORGANIZATIONS,
        "api_key": KEYS,
        "provider": PROVIDERS,
        "model": MODELS,
        "statuses": [("OK",), ("ERROR", "CUT"), ()],
        "byok": [True, False],
    }
    for name in random.sample(sorted(choices), random.choice((0, 0, 1, 1, 2))):
        query = replace(query, **{name: random.choice(choices[name])})
    return query


def assert_alike(rolled: Figures, raw: Figures) -> None:
    """Sums and people are equal; percentiles within the width of a bucket."""
    for name in ("latency", "first_token"):
        for ours, exact in zip(getattr(rolled, name), getattr(raw, name), strict=True):
            assert (ours is None) == (exact is None)
            if exact is not None:
                assert abs(ours - exact) <= exact / 32
    assert replace(rolled, latency=(), first_token=()) == replace(raw, latency=(), first_token=())


async def settle(database: Database, random: Random) -> None:
    """Several batches, with rows of all days in each: most of them are late."""
    settlements = Settlements(database)
    for size in (150, 1, 60, 90):
        rows = [row(random) for _ in range(size)]
        await settlements.settle(rows)
        again = [each._replace(cost=1) for each in random.sample(rows, min(size, 5))]
        await settlements.settle([*again, row(random), *again])


@pytest.mark.parametrize("seed", range(8))
async def test_cells_answer_as_the_raw_rows_do(database: Database, seed: int) -> None:
    random = Random(seed)
    await settle(database, random)
    if seed % 2:
        while await fold(database):
            pass
    if seed % 4 == 3:
        await settle(database, random)
    async with database.read(None) as session:
        for _ in range(25):
            query, wanted = question(random), random.choice(WANTED)
            assert_alike(
                await usage_totals.totals(session, query, wanted),
                await usage_raw.totals(session, query, wanted),
            )
            dimension, first = (
                random.choice(sorted(usage_raw.DIMENSIONS)),
                random.choice((1, 3, 99)),
            )
            ours, other = await usage_totals.breakdown(session, query, dimension, first, wanted)
            groups, rest = await usage_raw.breakdown(session, query, dimension, first, wanted)
            assert [(g.id, g.name) for g in ours] == [(g.id, g.name) for g in groups]
            for group, exact in zip(ours, groups, strict=True):
                assert_alike(group.figures, exact.figures)
            assert (other is None) == (rest is None)
            if other is not None and rest is not None:
                assert_alike(other, rest)


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"provider": PROVIDERS[0]},
    {"model": MODELS[0]},
    {"organization": ORGANIZATIONS[0]},
    {"organization": ORGANIZATIONS[0], "provider": PROVIDERS[1]},
    {"organization": ORGANIZATIONS[0], "model": MODELS[1]},
    {"user": USERS[0]},
    {"api_key": KEYS[0], "byok": False},
    {"statuses": ("OK", "CUT"), "byok": True},
)


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("zone", ZONES)
async def test_series_answer_as_the_raw_rows_do(
    database: Database, zone: str, wanted: Wanted
) -> None:
    random = Random(zone)
    await settle(database, random)
    async with database.read(None) as session:
        for hours, narrow in ((24, None), (1, None), *((24, each) for each in FILTERS)):
            query = question(random)
            if narrow is not None:
                query = UsageQuery(query.reach, query.since, query.until, **narrow)
            starts = starts_in(query, zone, hours)
            ours = await usage_totals.series(session, query, starts, wanted)
            exact = await usage_raw.series(session, query, starts, wanted)
            assert len(ours) == len(starts)
            for point, raw in zip(ours, exact, strict=True):
                assert_alike(point, raw)


def starts_in(query: UsageQuery, zone: str, hours: int) -> list[datetime]:
    """Where the zone's hours or days begin in the span of a query."""
    assert query.since is not None
    first = query.since.astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0)
    first = first.replace(hour=first.hour if hours == 1 else 0).astimezone(UTC)
    later = [first + timedelta(hours=hours * n) for n in range(1, 200)]
    return [query.since, *(each for each in later if query.since < each < (query.until or NOW))]


@pytest.mark.parametrize("narrow", FILTERS)
async def test_groups_of_a_few_hours_answer_as_the_raw_rows_do(
    database: Database, narrow: dict[str, Any]
) -> None:
    """Days cut through on both sides, some of them one and the same."""
    random = Random(str(narrow))
    await settle(database, random)
    while await fold(database):
        pass
    async with database.read(None) as session:
        for wanted in WANTED:
            since, until = sorted(
                NOW - timedelta(seconds=random.randrange(200_000)) for _ in range(2)
            )
            query = UsageQuery(Reach(True, USERS[0], None), since, until, **narrow)
            for dimension in sorted(usage_raw.DIMENSIONS):
                ours, other = await usage_totals.breakdown(session, query, dimension, 2, wanted)
                groups, rest = await usage_raw.breakdown(session, query, dimension, 2, wanted)
                assert [(g.id, g.name) for g in ours] == [(g.id, g.name) for g in groups]
                for group, exact in zip(ours, groups, strict=True):
                    assert_alike(group.figures, exact.figures)
                assert (other is None) == (rest is None)
                if other is not None and rest is not None:
                    assert_alike(other, rest)


async def test_writers_at_once_lose_nothing(database: Database) -> None:
    random = Random(0)
    rows = [row(random) for _ in range(200)]
    writers = [Settlements(database) for _ in range(4)]
    await asyncio.gather(*(w.settle(rows[n::3]) for n, w in enumerate(writers)))

    # Some of them are of a quarter of an hour that is still to come.
    until = NOW + timedelta(hours=1)
    query = UsageQuery(Reach(True, USERS[0], None), NOW - timedelta(days=DAYS + 1), until)
    async with database.read(None) as session:
        rolled = await usage_totals.totals(session, query, Wanted())
        raw = await usage_raw.totals(session, query, Wanted())
    assert rolled.requests == 200
    assert_alike(rolled, raw)


async def test_the_audit_finds_what_was_changed_behind_our_back_and_mends_it(
    database: Database,
) -> None:
    await settle(database, Random(5))
    day = (NOW - timedelta(days=2)).date()
    sound = await audit_day(database, day, mend=False)
    assert sound.rows > 0
    assert sound.differences == []

    async with database.write(None) as session:
        cells = "UPDATE usage_caller_days SET cost = cost + 1, latency = 0 WHERE day = :day"
        await session.execute(text(cells), {"day": day})
        await session.execute(text("DELETE FROM usage_visits WHERE grain = 1440"))
        await session.execute(text("UPDATE usage_served_hours SET cost = cost + 1"))
        await session.execute(text("UPDATE usage_visitors SET people = ~people WHERE grain = 15"))
    broken = await audit_day(database, day, mend=True)
    assert broken.differing > 1
    assert {each.table for each in broken.differences} == {
        "usage_caller_days",
        "usage_visits",
        "usage_served_hours",
        "usage_visitors",
    }
    assert (await audit_day(database, day, mend=False)).differing == 0


async def test_names_longer_than_an_index_holds_do_not_stop_a_settlement(
    database: Database,
) -> None:
    long = usage_row(model_name="m" * 9_000, provider_slug="p" * 9_000)

    assert await Settlements(database).settle([long, usage_row()]) == 1
