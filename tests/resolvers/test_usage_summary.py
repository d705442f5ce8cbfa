"""Usage summed up: exact totals, groups, and series that follow the clock of a place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import deployed, settle

FIGURES = """
    requests errors errorRate inputTokens cachedTokens cacheWriteTokens outputTokens reasoningTokens
    cost unpricedRequests averageCost latencyP50Ms latencyP95Ms uniqueUsers
"""
TOTALS = f"""
query ($period: UsagePeriod, $from: DateTime, $to: DateTime, $zone: String!) {{
  usage(period: $period, from: $from, to: $to, timeZone: $zone) {{
    from to totals {{ {FIGURES} }}
  }}
}}
"""
BREAKDOWN = """
query ($by: UsageDimension!, $top: Int!) {
  usage {
    breakdown(by: $by, top: $top) {
      groups { requests cost name provider { slug } model { reference } user { name }
               apiKey { name } }
      other { requests cost uniqueUsers }
    }
  }
}
"""
SERIES = """
query ($from: DateTime, $to: DateTime, $interval: UsageInterval!, $zone: String!, $last: Int) {
  usage(from: $from, to: $to, timeZone: $zone) {
    series(interval: $interval, last: $last) { start requests cost }
  }
}
"""
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def totals(graphql: GraphQL, caller: Principal, **variables: Any) -> Any:
    data = await graphql.data(TOTALS, caller, **{"zone": "UTC", **variables})
    return data["usage"]["totals"]


async def test_totals_are_exact(graphql: GraphQL, admin: Principal, user: Principal) -> None:
    whole = {"cached_tokens": 1, "cache_write_tokens": 2, "reasoning_tokens": 3}
    await settle(
        graphql,
        {"user_id": user.user_id, "input_tokens": 5_000_000_000, "cost": 10**18, **whole},
        {"user_id": user.user_id, "cost": 2, "latency_ms": 100},
        {"user_id": admin.user_id, "cost": 2, "latency_ms": 300, "status": "CANCELLED"},
        {"user_id": admin.user_id, "cost": None, "latency_ms": 9_000, "status": "ERROR"},
        {"user_id": admin.user_id, "cost": None, "latency_ms": 0, "status": "UNKNOWN"},
    )

    assert await totals(graphql, admin) == {
        "requests": 5,
        "errors": 2,
        "errorRate": 0.4,
        "inputTokens": 5_000_000_040,
        "cachedTokens": 1,
        "cacheWriteTokens": 2,
        "outputTokens": 25,
        "reasoningTokens": 3,
        "cost": "1000000000.000000004",
        "unpricedRequests": 2,
        "averageCost": "333333333.333333335",
        "latencyP50Ms": 12,
        "latencyP95Ms": 100,
        "uniqueUsers": 2,
    }
    assert (await totals(graphql, user))["cost"] == "1000000000.000000002"


async def test_nothing_at_all_sums_up_to_nothing(graphql: GraphQL, user: Principal) -> None:
    found = await totals(graphql, user, period="DAYS_90")

    unknown = ("errorRate", "averageCost", "latencyP50Ms", "latencyP95Ms")
    assert {found.pop(name) for name in unknown} == {None}
    assert found.pop("cost") == "0"
    assert set(found.values()) == {0}


async def test_a_period_is_calendar_days_of_the_place_with_today(
    graphql: GraphQL, admin: Principal
) -> None:
    first = TODAY - timedelta(days=6)
    await settle(
        graphql, {"at": first - timedelta(milliseconds=1)}, {"at": first}, {"at": datetime.now(UTC)}
    )

    assert (await totals(graphql, admin))["requests"] == 2
    assert (await totals(graphql, admin, period="DAYS_7"))["requests"] == 2
    assert (await totals(graphql, admin, period="DAYS_30"))["requests"] == 3


async def test_a_range_includes_its_beginning_and_not_its_end(
    graphql: GraphQL, admin: Principal
) -> None:
    day = TODAY - timedelta(days=2)
    await settle(graphql, *({"at": day + timedelta(hours=n)} for n in range(4)))
    span = {
        "from": (day + timedelta(hours=1)).isoformat(),
        "to": (day + timedelta(hours=3)).isoformat(),
    }

    assert (await totals(graphql, admin, **span))["requests"] == 2


@pytest.mark.parametrize(
    "variables",
    [
        {"to": "2026-01-01T00:00:00Z"},
        {"period": "DAYS_7", "from": "2026-01-01T00:00:00Z"},
        {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"from": "2020-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
    ],
)
async def test_refuses_spans_that_make_no_sense(
    graphql: GraphQL, admin: Principal, variables: dict[str, Any]
) -> None:
    result = await graphql(TOTALS, admin, **{"zone": "UTC", **variables})

    assert result.data is None
    assert [type(error.original_error).__name__ for error in result.errors or ()] == [
        "InvalidInput"
    ]


async def grouped(graphql: GraphQL, caller: Principal, by: str, top: int = 10) -> Any:
    data = await graphql.data(BREAKDOWN, caller, by=by, top=top)
    return data["usage"]["breakdown"]


def group(requests: int, cost: str, **of: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("name", "provider", "model", "user", "apiKey"))
    return {"requests": requests, "cost": cost, **nothing, **of}


async def test_groups_by_cost_with_everything_else_together(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    provider_id, model_id, _ = await deployed(graphql)
    served = {"provider_id": provider_id, "provider_slug": "local", "model_id": model_id}
    other = {"provider_slug": "gone", "model_name": "old"}
    await settle(
        graphql,
        {"user_id": user.user_id, "cost": 5, **served},
        {"user_id": user.user_id, "cost": 6, **served},
        {"user_id": admin.user_id, "cost": 7, **other},
        {"user_id": admin.user_id, "cost": None, "provider_slug": None, "model_name": None},
    )

    assert await grouped(graphql, admin, "PROVIDER", 1) == {
        "groups": [group(2, "0.000000011", name="local", provider={"slug": "local"})],
        "other": {"requests": 2, "cost": "0.000000007", "uniqueUsers": 1},
    }
    assert await grouped(graphql, admin, "PROVIDER") == {
        "groups": [
            group(2, "0.000000011", name="local", provider={"slug": "local"}),
            group(1, "0.000000007", name="gone"),
            group(1, "0"),
        ],
        "other": None,
    }
    assert (await grouped(graphql, admin, "MODEL", 2))["groups"] == [
        group(2, "0.000000011", name="local/small", model={"reference": "local/small"}),
        group(1, "0.000000007", name="gone/old"),
    ]
    assert (await grouped(graphql, admin, "USER"))["groups"] == [
        group(2, "0.000000011", user={"name": "Uma"}),
        group(2, "0.000000007", user={"name": "Ada"}),
    ]
    assert (await grouped(graphql, admin, "API_KEY"))["groups"] == [group(4, "0.000000018")]


@pytest.mark.parametrize("top", [0, 101])
async def test_refuses_too_many_groups(graphql: GraphQL, admin: Principal, top: int) -> None:
    result = await graphql(BREAKDOWN, admin, by="USER", top=top)

    assert result.data is None
    assert "between 1 and 100" in str(result.errors)


async def test_a_series_has_every_hour_empty_ones_too(graphql: GraphQL, admin: Principal) -> None:
    day = TODAY - timedelta(days=3)
    await settle(
        graphql,
        {"at": day + timedelta(minutes=30), "cost": 1},
        {"at": day + timedelta(hours=2), "cost": 2},
        {"at": day + timedelta(hours=2, minutes=59, seconds=59), "cost": 4},
    )
    span = {"from": (day + timedelta(minutes=15)).isoformat()}

    data = await graphql.data(
        SERIES,
        admin,
        **span,
        to=(day + timedelta(hours=4)).isoformat(),
        interval="HOUR",
        zone="UTC",
    )

    starts = [day + timedelta(minutes=15), *(day + timedelta(hours=n) for n in (1, 2, 3))]
    assert data["usage"]["series"] == [
        {"start": start.isoformat().replace("+00:00", "Z"), "requests": requests, "cost": cost}
        for start, requests, cost in zip(
            starts, (1, 0, 2, 0), ("0.000000001", "0", "0.000000006", "0"), strict=True
        )
    ]


async def test_the_newest_of_a_series_are_those_of_the_whole(
    graphql: GraphQL, admin: Principal
) -> None:
    day = TODAY - timedelta(days=3)
    await settle(graphql, *({"at": day + timedelta(hours=n, minutes=1)} for n in (0, 1, 3)))
    span = {"from": day.isoformat(), "to": (day + timedelta(hours=4)).isoformat()}
    asked = {**span, "interval": "HOUR", "zone": "UTC"}

    whole = await graphql.data(SERIES, admin, **asked)
    newest = await graphql.data(SERIES, admin, **asked, last=3)

    assert [point["requests"] for point in newest["usage"]["series"]] == [1, 0, 1]
    assert newest["usage"]["series"] == whole["usage"]["series"][1:]
    more = await graphql.data(SERIES, admin, **asked, last=750)
    assert more == whole


@pytest.mark.parametrize("last", [0, -1, 751])
async def test_a_series_of_too_many_or_none_is_refused(
    graphql: GraphQL, admin: Principal, last: int
) -> None:
    result = await graphql(SERIES, admin, interval="DAY", zone="UTC", last=last)

    assert result.data is None
    assert "between 1 and 750" in str(result.errors)


async def test_days_begin_at_the_places_midnight(graphql: GraphQL, admin: Principal) -> None:
    """Kolkata is five and a half hours ahead."""
    day = TODAY - timedelta(days=3)
    await settle(
        graphql,
        {"at": day + timedelta(hours=18, minutes=29)},
        {"at": day + timedelta(hours=18, minutes=30)},
    )

    data = await graphql.data(
        SERIES,
        admin,
        **{"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()},
        interval="DAY",
        zone="Asia/Kolkata",
    )

    midnight = day + timedelta(hours=18, minutes=30)
    assert [(point["start"], point["requests"]) for point in data["usage"]["series"]] == [
        (start.isoformat().replace("+00:00", "Z"), 1) for start in (day, midnight)
    ]
