"""Where a request would go: the serving code's own decision, as far as the caller may see it."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from uuid_utils.compat import uuid7

from db.models.model import Model, Price
from db.models.provider import Provider
from db.models.rule import RoutingRule
from db.queries.configuration import record_change
from domain.health import Failure, Observatory
from domain.principal import Principal
from domain.request import RequestFacts
from domain.routing import plan
from domain.snapshot import Capability
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import settle

CANDIDATE = """
    reference eligible rank total expectedCost effectivePrice expectedOutputTokens outputBasis
    quality qualityLow qualityHigh qualityBasis qualitySamples propensity level isLevelPinned
    listPrice priority health isFallback
    exclusions { code needed available detail }
    terms { dimension raw score weight contribution }
    latency { total firstToken firstTokenP95 tokensPerSecond samples state }
    model { reference }
"""
DECISION = f"""
    snapshotNumber ruleVersions {{ scope version }} strategy weights {{ cost latency quality }}
    anchors {{ version priceBest priceWorst latencyBest latencyWorst qualityWorst qualityBest }}
    ecoBelow precisionFrom priorityTiers maxAttempts regions contentFilterFallback selection
    origins {{ field alias scope version }} counterfactual {{ reference expectedCost saving }}
    aliasChain unresolved others hidden
    facts {{ model inputTokens isEstimated maxTokens stream level servedLevel session }}
    excluded {{ code count }} margin decisiveTerm incumbent isLastResort refusal
    candidates {{ {CANDIDATE} }} winner {{ reference }} runnerUp {{ reference }}
    flipConditions {{ lever isRising threshold subject winner }} fallbackOrder {{ reference }}
"""
EXPLAIN = f"query ($input: ExplainRouteInput!) {{ explainRoute(input: $input) {{ {DECISION} }} }}"
STORED = f"{{ usageRecords {{ nodes {{ decision {{ {DECISION} }} }} }} }}"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def stock(graphql: GraphQL, *, count: int = 2) -> None:
    """`local/m0` at $1 and $4 per 1M tokens, each next one a dollar dearer; one is disabled."""
    provider = Provider(
        slug="local", name="Local", type="CUSTOM", base_url="https://x.test", options={}
    )
    names = [*(f"m{n}" for n in range(count)), "off"]
    async with graphql.database.write(None) as session:
        session.add(provider)
        await session.flush()
        for n, name in enumerate(names):
            model = Model(
                provider_id=provider.id,
                name=name,
                canonical_name=name,
                display_name=name,
                quality=0.6,
                context_length=10_000,
                enabled=name != "off",
            )
            session.add(model)
            await session.flush()
            session.add(
                Price(
                    model_id=model.id,
                    valid_from=LONG_AGO,
                    input=(n + 1) * 1_000_000,
                    output=4_000_000,
                    source="test",
                )
            )
        body = {"aliases": {"fast": {"targets": ["auto"]}}, "strategy": "COST"}
        session.add(RoutingRule(scope="GLOBAL", version=3, state="LIVE", body=body))
        await session.flush()
        await record_change(session, "rule", None)
    await graphql.configuration.refresh()


async def explain(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    given = {"model": "auto", "inputTokens": 1_000, **input}
    return (await graphql.data(EXPLAIN, caller, input=given))["explainRoute"]


def facts(caller: Principal, **changes: Any) -> RequestFacts:
    values = {
        "id": uuid7(),
        "now": time.time(),
        "model": "auto",
        "user_id": caller.user_id,
        "organization_id": caller.organization_id,
        "input_tokens": 1_000,
        **changes,
    }
    return RequestFacts(**values)


@pytest.mark.parametrize(
    ("input", "changes"),
    [
        ({}, {}),
        (
            {"model": "fast", "maxTokens": 100, "stream": True},
            {"model": "fast", "max_tokens": 100, "stream": True},
        ),
        ({"model": "local/m1", "needs": ["TOOLS"]}, {"model": "local/m1", "needs": {"TOOLS"}}),
        ({"inputTokens": 20_000}, {"input_tokens": 20_000}),
    ],
)
async def test_a_stored_decision_equals_what_was_explained(
    graphql: GraphQL, admin: Principal, input: dict[str, Any], changes: dict[str, Any]
) -> None:
    await stock(graphql, count=12)
    needs = frozenset(map(Capability, changes.pop("needs", ())))
    running = graphql.configuration
    served = plan(running.snapshot, facts(admin, needs=needs, **changes), running.live)
    decision = msgspec.json.encode(served.decision).decode()
    await settle(graphql, {"user_id": admin.user_id, "decision": decision})

    explained = await explain(graphql, admin, **input)
    [stored] = (await graphql.data(STORED, admin))["usageRecords"]["nodes"]

    assert stored["decision"] == explained
    assert len(explained["candidates"]) in (1, 8)


async def test_says_what_decided(graphql: GraphQL, admin: Principal) -> None:
    await stock(graphql)

    found = await explain(graphql, admin)

    assert found["strategy"] == "COST"
    assert found["ruleVersions"] == [{"scope": "GLOBAL", "version": 3}]
    assert found["snapshotNumber"] == graphql.configuration.snapshot.number
    assert (found["winner"], found["runnerUp"]) == (
        {"reference": "local/m0"},
        {"reference": "local/m1"},
    )
    assert (found["decisiveTerm"], found["margin"]) == ("COST", 0.001)
    assert [each["reference"] for each in found["fallbackOrder"]] == ["local/m0", "local/m1"]
    assert [
        (each["reference"], each["rank"], each["expectedCost"], each["level"])
        for each in found["candidates"]
    ] == [
        ("local/m0", 1, "0.002024", "BALANCED"),
        ("local/m1", 2, "0.003024", "BALANCED"),
        ("local/off", None, "0.004024", "BALANCED"),
    ]
    assert found["candidates"][2]["exclusions"] == [
        {"code": "DISABLED", "needed": None, "available": None, "detail": None}
    ]
    prices = [each for each in found["flipConditions"] if each["lever"] == "PRICE"]
    assert [(each["subject"], each["winner"], each["isRising"]) for each in prices] == [
        ("local/m0", "local/m1", True),
        ("local/m1", "local/m1", False),
    ]


async def test_users_are_not_shown_what_is_switched_off(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    await stock(graphql)

    seen, everything = await explain(graphql, user), await explain(graphql, admin)

    assert [each["reference"] for each in seen["candidates"]] == ["local/m0", "local/m1"]
    assert (seen["hidden"], everything["hidden"]) == (1, 0)
    assert "local/off" not in str(seen)


async def test_a_key_for_some_models_is_told_of_those_alone(
    graphql: GraphQL, user: Principal
) -> None:
    await stock(graphql)
    bound = replace(user, allowed_models=frozenset({"local/m1"}))

    found = await explain(graphql, bound)
    refused = await explain(graphql, bound, model="local/m0")

    assert [each["reference"] for each in found["candidates"]] == ["local/m1"]
    assert found["excluded"] == [{"code": "NOT_ALLOWED", "count": 2}]
    assert (refused["winner"], refused["candidates"]) == (None, [])
    assert refused["refusal"] == ("There is no model `local/m0` here. Did you mean `local/m1`?")


async def test_says_why_nobody_may_serve(graphql: GraphQL, user: Principal) -> None:
    await stock(graphql)

    found = await explain(graphql, user, inputTokens=9_000, maxTokens=2_000)

    assert found["winner"] is None
    assert found["refusal"] == "No model may serve `auto` for this request."
    assert found["candidates"][0]["exclusions"] == [
        {"code": "CONTEXT_WINDOW", "needed": 11_000, "available": 10_000, "detail": None}
    ]


async def test_every_candidate_is_shown_to_who_asks_for_all(
    graphql: GraphQL, admin: Principal
) -> None:
    await stock(graphql, count=12)
    document = EXPLAIN.replace("candidates {", "candidates(first: 100) {")

    async def shown(**input: Any) -> tuple[int, int]:
        given = {"model": "auto", "inputTokens": 10, **input}
        found = (await graphql.data(document, admin, input=given))["explainRoute"]
        return len(found["candidates"]), found["others"]

    assert await shown() == (8, 5)
    assert await shown(everyCandidate=True) == (13, 0)


async def test_health_is_what_this_process_observed(
    graphql: GraphQL, admin: Principal, observatory: Observatory
) -> None:
    await stock(graphql)
    deployment = graphql.configuration.snapshot.by_reference["local/m0"]
    for _ in range(5):
        observatory.failed(deployment, Failure.CONNECT)

    found = await explain(graphql, admin)

    by_reference = {each["reference"]: each for each in found["candidates"]}
    assert by_reference["local/m0"]["health"] == "OPEN"
    assert found["winner"] == {"reference": "local/m1"}


async def test_messages_are_counted_and_not_kept(graphql: GraphQL, user: Principal) -> None:
    await stock(graphql)
    messages = [{"role": "user", "content": "canary" * 100}]

    found = await explain(graphql, user, inputTokens=None, messages=messages)

    assert found["facts"]["inputTokens"] > 100
    assert found["facts"]["isEstimated"]
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    "input",
    [
        {"messages": []},
        {"inputTokens": None},
        {"inputTokens": -1},
        {"model": ""},
        {"model": "x" * 301},
        {"maxTokens": 0},
    ],
)
async def test_refuses_a_request_that_could_not_be(
    graphql: GraphQL, user: Principal, input: dict[str, Any]
) -> None:
    result = await graphql(EXPLAIN, user, input={"model": "auto", "inputTokens": 1, **input})

    assert result.data is None
    assert [type(error.original_error).__name__ for error in result.errors or ()] == [
        "InvalidInput"
    ]


async def test_explaining_asks_the_database_nothing(graphql: GraphQL, user: Principal) -> None:
    await stock(graphql)
    document = "query ($input: ExplainRouteInput!) { explainRoute(input: $input) { strategy } }"

    with graphql.statements() as sent:
        await graphql.data(document, user, input={"model": "auto", "inputTokens": 1})

    assert sent == []


async def test_strangers_are_told_nothing(graphql: GraphQL) -> None:
    input = {"model": "auto", "inputTokens": 1}

    assert await graphql.codes(EXPLAIN, None, input=input) == ["UNAUTHENTICATED"]
