"""A decision says by whose rules it was made, what the best would have cost, and for whom."""

from dataclasses import replace
from typing import Any

import pytest

from domain.principal import MemberRole, Principal, Role
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.rules import put, refusals
from tests.resolvers.test_explain import stock

EXPLAIN = """
query ($input: ExplainRouteInput!) {
  explainRoute(input: $input) {
    requestId strategy weights { quality } maxAttempts regions winner { reference }
    ruleVersions { scope version } origins { field alias scope version } refusal
    excluded { code count } counterfactual { reference expectedCost saving }
    candidates { reference propensity qualityLow qualityHigh qualityBasis qualitySamples }
  }
}
"""
WEIGHTS = {"cost": 0, "latency": 0, "quality": 10_000}


async def explain(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    given = {"model": "auto", "inputTokens": 1_000, **input}
    return (await graphql.data(EXPLAIN, caller, input=given))["explainRoute"]


def decided(found: Any) -> dict[str, tuple[str | None, str, int]]:
    """What the rules said, by field."""
    return {
        one["field"]: (one["alias"], one["scope"], one["version"])
        for one in found["origins"]
        if one["scope"]
    }


@pytest.fixture
def governor(user: Principal) -> Principal:
    return replace(user, organization_role=MemberRole.ADMIN)


async def test_a_decision_says_whose_rules_decided_what(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await stock(graphql)
    await put(graphql, governor, scope="ORGANIZATION", maxAttempts=2)
    await put(graphql, governor, scope="USER", strategy="CUSTOM", weights=WEIGHTS)

    mine, theirs = await explain(graphql, governor), await explain(graphql, admin)

    assert (mine["strategy"], mine["weights"], mine["maxAttempts"]) == (
        "CUSTOM",
        {"quality": 10_000},
        2,
    )
    assert mine["ruleVersions"] == [
        {"scope": "GLOBAL", "version": 3},
        {"scope": "ORGANIZATION", "version": 1},
        {"scope": "USER", "version": 1},
    ]
    assert decided(mine) == {
        "STRATEGY": (None, "USER", 1),
        "WEIGHTS": (None, "USER", 1),
        "MAX_ATTEMPTS": (None, "ORGANIZATION", 1),
    }
    assert (theirs["strategy"], theirs["maxAttempts"]) == ("COST", 3)
    assert decided(theirs) == {"STRATEGY": (None, "GLOBAL", 3)}


async def test_proposed_rules_are_explained_before_they_are_in_force(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    await stock(graphql)
    rules = {"strategy": "LATENCY", "maxAttempts": 1}

    proposed = await explain(graphql, admin, proposed={"rules": rules})
    alias = {"name": "new", "targets": ["m1"]}
    named = await explain(graphql, admin, model="new", proposed={"rules": {"aliases": [alias]}})

    assert (proposed["strategy"], proposed["maxAttempts"]) == ("LATENCY", 1)
    assert proposed["ruleVersions"] == [{"scope": "GLOBAL", "version": 0}]
    assert named["winner"] == {"reference": "local/m1"}
    assert (await explain(graphql, admin))["strategy"] == "COST"
    mine = {"scope": "USER", "rules": {"strategy": "LATENCY"}}
    assert (await explain(graphql, user, proposed=mine))["strategy"] == "LATENCY"
    assert (await explain(graphql, user))["strategy"] == "COST"


async def test_the_draft_is_explained(graphql: GraphQL, admin: Principal) -> None:
    await stock(graphql)
    document = """mutation ($input: SaveRoutingDraftInput!) {
      saveRoutingDraft(input: $input) { __typename }
    }"""
    given = {"model": "auto", "inputTokens": 1_000, "proposed": {}}
    assert await refusals(graphql, EXPLAIN, admin, input=given) == ["NOT_FOUND"]
    await graphql.data(document, admin, input={"strategy": "LATENCY"})

    assert (await explain(graphql, admin, proposed={}))["strategy"] == "LATENCY"
    assert (await explain(graphql, admin))["strategy"] == "COST"


async def test_proposed_rules_are_refused_as_publishing_them_would_be(
    graphql: GraphQL, admin: Principal, user: Principal, governor: Principal
) -> None:
    await stock(graphql)
    limited = replace(admin, allowed_models=frozenset({"local/m0"}))
    wrong = {"ecoBelow": "50", "precisionFrom": "1"}
    dear = {"strategy": "LATENCY"}
    for caller, proposed, code in (
        (user, {"rules": dear}, "FORBIDDEN"),
        (user, {"scope": "ORGANIZATION", "rules": dear}, "FORBIDDEN"),
        (governor, {"rules": dear}, "FORBIDDEN"),
        (limited, {"rules": dear}, "FORBIDDEN"),
        (admin, {"rules": wrong}, "INVALID_INPUT"),
        (user, {"scope": "USER", "rules": {"fallbacks": ["m1"]}}, "INVALID_INPUT"),
    ):
        given = {"model": "auto", "inputTokens": 1_000, "proposed": proposed}
        assert await refusals(graphql, EXPLAIN, caller, input=given) == [code]
    theirs = {"scope": "ORGANIZATION", "rules": dear}
    assert (await explain(graphql, governor, proposed=theirs))["strategy"] == "LATENCY"


async def test_an_alias_that_decides_is_named(graphql: GraphQL, governor: Principal) -> None:
    await stock(graphql)
    alias = {"name": "quick", "targets": ["fast"], "strategy": "LATENCY", "fallbacks": ["m1"]}
    await put(graphql, governor, scope="ORGANIZATION", aliases=[alias])

    found = await explain(graphql, governor, model="quick")

    assert found["strategy"] == "LATENCY"
    assert decided(found)["STRATEGY"] == ("quick", "ORGANIZATION", 1)
    assert decided(found)["FALLBACKS"] == ("quick", "ORGANIZATION", 1)
    aliases = [
        (one["alias"], one["scope"], one["version"])
        for one in found["origins"]
        if one["field"] == "ALIASES"
    ]
    assert aliases == [("quick", "ORGANIZATION", 1), ("fast", "GLOBAL", 3)]


async def test_what_the_best_would_have_cost(graphql: GraphQL, user: Principal) -> None:
    await stock(graphql)
    document = """mutation ($input: UpdateModelInput!) {
      updateModel(input: $input) { __typename }
    }"""
    models = '{ models(filter: {search: "m1"}) { nodes { id } } }'
    admin = replace(user, role=Role.ADMIN)
    [best] = (await graphql.data(models, admin))["models"]["nodes"]
    await graphql.data(document, admin, input={"id": best["id"], "quality": 0.9})

    found = await explain(graphql, user)

    assert found["winner"] == {"reference": "local/m0"}
    assert found["counterfactual"] == {
        "reference": "local/m1",
        "expectedCost": "0.003024",
        "saving": "0.001",
    }
    assert [(one["reference"], one["propensity"]) for one in found["candidates"]] == [
        ("local/m0", 1.0),
        ("local/m1", 0.0),
    ]


async def test_how_sure_a_quality_is(graphql: GraphQL, user: Principal) -> None:
    await stock(graphql)
    admin = replace(user, role=Role.ADMIN)
    document = """mutation ($input: UpdateModelInput!) {
      updateModel(input: $input) { __typename }
    }"""
    models = "{ models(first: 10) { nodes { id name } } }"
    by_name = {
        one["name"]: one["id"] for one in (await graphql.data(models, admin))["models"]["nodes"]
    }
    for name, changes in (
        ("m0", {"quality": None}),
        ("m1", {"quality": 0.8, "qualitySource": "a benchmark"}),
    ):
        await graphql.data(document, admin, input={"id": by_name[name], **changes})

    found = await explain(graphql, user)

    told = {one["reference"]: list(one.values())[2:] for one in found["candidates"]}
    assert told["local/m1"] == [None, None, "BENCHMARK", None]
    low, high, basis, samples = told["local/m0"]
    assert (round(low, 6), round(high, 6), basis, samples) == (0.5, 0.7, "ASSUMED", 2)


async def test_regions_leave_out_what_is_elsewhere(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await stock(graphql)
    await put(graphql, governor, scope="ORGANIZATION", regions=["eu"])

    found = await explain(graphql, governor)

    assert found["regions"] == ["eu"]
    assert found["winner"] is None
    assert {"code": "REGION", "count": 3} in found["excluded"]
    assert (await explain(graphql, admin))["winner"] == {"reference": "local/m0"}


async def test_administrators_explain_for_others(
    graphql: GraphQL, admin: Principal, governor: Principal, user: Principal
) -> None:
    await stock(graphql)
    await put(graphql, governor, scope="ORGANIZATION", maxAttempts=1)
    await put(graphql, user, scope="USER", strategy="LATENCY")
    assert user.organization_id is not None
    uma = global_id("User", user.user_id)
    theirs = global_id("Organization", user.organization_id)

    person = await explain(graphql, admin, asUser=uma)
    member = await explain(graphql, admin, asOrganization=theirs)
    both = await explain(graphql, admin, asUser=uma, asOrganization=theirs)
    self_ = await explain(graphql, user, asUser=uma, asOrganization=theirs)

    assert (person["strategy"], person["maxAttempts"]) == ("LATENCY", 1)
    assert (member["strategy"], member["maxAttempts"]) == ("COST", 1)
    assert (both["strategy"], self_["strategy"]) == ("LATENCY", "LATENCY")


async def test_nobody_else_explains_for_others(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    await stock(graphql)
    assert admin.organization_id is not None
    ada, nobody = global_id("User", admin.user_id), "bm9wZQ=="
    theirs = global_id("Organization", admin.organization_id)
    for others in ({"asUser": ada}, {"asOrganization": theirs}, {"asUser": nobody}):
        input = {"model": "auto", "inputTokens": 1, **others}
        assert await refusals(graphql, EXPLAIN, user, input=input) == ["NOT_FOUND"]
    input = {"model": "auto", "inputTokens": 1, "asUser": nobody}
    assert await refusals(graphql, EXPLAIN, admin, input=input) == ["NOT_FOUND"]
