"""Every filter, by everything, for everybody: sums are those of the requests that may be seen."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from domain.pricing import usd_text
from domain.principal import MemberRole, Principal
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import settle

ASKED = """
query ($filter: UsageFilter, $zone: String!) {
  usage(period: DAYS_7, filter: $filter, timeZone: $zone) {
    from to
    totals { ...Sums uniqueUsers averageCost cachedShare errorRate latencyP50Ms }
    previous { from to totals { ...Sums } }
    days: series(interval: DAY) { start ...Sums latencyP99Ms uniqueUsers }
    hours: series(interval: HOUR) { start ...Sums }
    %s
    records(first: 100) { totalCount nodes { startedAt } }
  }
}
fragment Sums on UsageFigures { requests errors cost shadowCost inputTokens cachedTokens }
"""
DIMENSIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "PROVIDER": lambda row: row["provider_id"],
    "MODEL": lambda row: row["model_id"],
    "USER": lambda row: row["user_id"],
    "ORGANIZATION": lambda row: row["organization_id"],
    "API_KEY": lambda row: row["api_key_id"],
    "STATUS": lambda row: row["status"],
    "ERROR_CLASS": lambda row: row["error_class"],
    "BYOK": lambda row: row["key_owner"] != "SYSTEM",
}
BREAKDOWNS = "\n".join(
    f"{name}: breakdown(by: {name}, top: 2) {{ groups {{ ...Sums name latencyP95Ms }}"
    " other { ...Sums } }"
    for name in DIMENSIONS
)
ZONES = ("UTC", "Asia/Kolkata", "America/New_York")
OWN, OTHER = uuid.UUID(int=71), uuid.UUID(int=72)
NOW = datetime.now(UTC)


def ids(kind: int, count: int) -> list[uuid.UUID]:
    return [uuid.UUID(int=(kind << 64) + n + 1) for n in range(count)]


def rows(
    random: Random, people: list[uuid.UUID], organizations: list[uuid.UUID | None]
) -> list[Any]:
    """Requests of the last eleven days: of this period, and of the one before."""
    providers, models, keys = ids(4, 3), ids(5, 4), ids(6, 3)
    found = []
    for _ in range(90):
        model, status = random.randrange(4), random.choice(("OK", "OK", "ERROR", "CANCELLED"))
        found.append(
            {
                "at": NOW - timedelta(seconds=random.randrange(60, 11 * 86_400)),
                "user_id": random.choice(people),
                "organization_id": random.choice(organizations),
                "api_key_id": random.choice([*keys, None]),
                "provider_id": providers[model % 3],
                "provider_slug": f"provider-{model % 3}",
                "model_id": models[model],
                "model_name": f"model-{model}",
                "status": status,
                "error_class": "TIMEOUT" if status == "ERROR" else None,
                "key_owner": random.choice(("SYSTEM", "USER")),
                "input_tokens": random.randrange(1_000),
                "cached_tokens": random.randrange(10),
                "cost": random.randrange(1, 10**12),
            }
        )
    return found


def sums(found: list[dict[str, Any]]) -> dict[str, Any]:
    """As the API tells them."""
    own = sum(row["cost"] for row in found if row["key_owner"] == "USER")
    return {
        "requests": len(found),
        "errors": sum(row["status"] == "ERROR" for row in found),
        "cost": usd_text(sum(row["cost"] for row in found)),
        "shadowCost": usd_text(own),
        "inputTokens": sum(row["input_tokens"] for row in found),
        "cachedTokens": sum(row["cached_tokens"] for row in found),
    }


def only(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in sums([])}


def between(found: list[Any], since: str, until: str) -> list[Any]:
    first, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    return [row for row in found if first <= row["at"] < end]


def assert_series(points: list[Any], found: list[Any], until: str) -> None:
    ends = [*(point["start"] for point in points[1:]), until]
    for point, end in zip(points, ends, strict=True):
        assert only(point) == sums(between(found, point["start"], end))


def assert_breakdown(told: Any, found: list[Any], key: Callable[[Any], Any]) -> None:
    """The two groups that cost most, and all the others."""
    by: dict[Any, list[Any]] = {}
    for row in found:
        by.setdefault(key(row), []).append(row)
    dearest = sorted(by.values(), key=lambda each: -sum(row["cost"] for row in each))
    assert [only(each) for each in told["groups"]] == [sums(each) for each in dearest[:2]]
    rest = [row for each in dearest[2:] for row in each]
    assert (told["other"] and only(told["other"])) == (sums(rest) if rest else None)


def filters(made: list[Any]) -> list[tuple[dict[str, Any], Callable[[Any], bool]]]:
    """Each alone and some together, as GraphQL has them and as a rule for a row."""
    columns = {
        "provider": ("Provider", "provider_id"),
        "model": ("Model", "model_id"),
        "user": ("User", "user_id"),
        "organization": ("Organization", "organization_id"),
        "apiKey": ("ApiKey", "api_key_id"),
    }
    together: list[tuple[str, ...]] = [(name,) for name in columns]
    together += [("provider", "organization"), ("model", "organization"), ("user", "provider")]
    whole = next(row for row in made if row["organization_id"] and row["api_key_id"])
    found: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
        ({}, lambda _: True),
        ({"statuses": ["OK", "CANCELLED"]}, lambda row: row["status"] != "ERROR"),
        ({"byok": True}, lambda row: row["key_owner"] == "USER"),
        ({"byok": False}, lambda row: row["key_owner"] == "SYSTEM"),
    ]
    for names in together:
        asked = {name: global_id(columns[name][0], whole[columns[name][1]]) for name in names}
        alike = {columns[name][1]: whole[columns[name][1]] for name in names}
        found.append((asked, partial(_is_alike, alike)))
    return found


def _is_alike(alike: dict[str, Any], row: dict[str, Any]) -> bool:
    return all(row[column] == value for column, value in alike.items())


@pytest.mark.parametrize("who", ["admin", "governor", "user"])
@pytest.mark.parametrize("zone", ZONES)
async def test_every_filter_by_everything_for_everybody(
    graphql: GraphQL, admin: Principal, user: Principal, zone: str, who: str
) -> None:
    governor = replace(admin, role=user.role, organization_role=MemberRole.ADMIN)
    caller = {"admin": admin, "governor": governor, "user": user}[who]
    people, organizations = [admin.user_id, user.user_id, OWN], [admin.organization_id, OTHER, None]
    made = rows(Random(f"{zone} {who}"), people, organizations)
    await settle(graphql, *(dict(row) for row in made))
    if who == "governor":
        made = [
            row
            for row in made
            if admin.organization_id == row["organization_id"] or row["user_id"] == admin.user_id
        ]
    elif who == "user":
        made = [row for row in made if row["user_id"] == user.user_id]

    for asked, matches in filters(made):
        data = await graphql.data(ASKED % BREAKDOWNS, caller, zone=zone, filter=asked)
        told, seen = data["usage"], [row for row in made if matches(row)]
        found = between(seen, told["from"], told["to"])
        assert only(told["totals"]) == sums(found)
        assert told["totals"]["uniqueUsers"] == len({row["user_id"] for row in found})
        before = told["previous"]
        assert only(before["totals"]) == sums(between(seen, before["from"], before["to"]))
        assert len(told["days"]) == 7
        assert_series(told["days"], found, told["to"])
        assert_series(told["hours"], found, told["to"])
        for name, key in DIMENSIONS.items():
            assert_breakdown(told[name], found, key)
        assert told["records"]["totalCount"] == len(found)
        newest = sorted((row["at"] for row in found), reverse=True)
        shown = [datetime.fromisoformat(each["startedAt"]) for each in told["records"]["nodes"]]
        assert shown == newest
