"""Routing rules: published, replaced, rolled back, listed; refused where they make no sense."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from db.models.rule import RoutingRule
from domain.principal import Principal
from domain.ruleset import Strategy, Weights
from tests.resolvers.conftest import GraphQL
from tests.resolvers.rules import ERROR, SET, SETTINGS, changes, kept, put, refusals, stock

ROLLBACK = f"""
mutation ($input: RollbackRoutingRulesInput!) {{
  rollbackRoutingRules(input: $input) {{
    {ERROR}
    ... on RollbackRoutingRulesPayload {{
      rules {{ version decides live {{ note }} settings {{ strategy }} }}
    }}
  }}
}}
"""
RULES = f"{{ routingRules {{ scope version decides settings {{ {SETTINGS} }} live {{ id }} }} }}"
VERSIONS = """
query ($first: Int, $after: String, $filter: RoutingRuleVersionFilter) {
  routingRuleVersions(first: $first, after: $after, filter: $filter) {
    totalCount
    nodes { version state note publishedAt author { name } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
DEFAULTS = {
    "strategy": "BALANCED",
    "weights": {"cost": 4000, "latency": 4000, "quality": 2000},
    "aliases": [],
    "fallbacks": [],
    "defaultLevel": "BALANCED",
    "ecoBelow": "0.5",
    "precisionFrom": "10",
    "maxAttempts": 3,
    "priorityTiers": False,
    "regions": None,
    "contentFilterFallback": False,
}

WEIGHTS = {"cost": 7000, "latency": 2000, "quality": 1000}
ALIASES = [
    {"name": "fast", "targets": ["local/small", "auto:eco"], "strategy": "LATENCY"},
    {"name": "best", "targets": ["large"], "fallbacks": ["fast", "open"]},
]
GIVEN = {
    "strategy": "CUSTOM",
    "weights": WEIGHTS,
    "aliases": ALIASES,
    "fallbacks": ["local/large", "meta/open"],
    "defaultLevel": "ECO",
    "ecoBelow": "0.25",
    "precisionFrom": "12.5",
    "maxAttempts": 2,
    "priorityTiers": True,
    "regions": ["eu"],
    "contentFilterFallback": True,
}

EVERYTHING = [
    "STRATEGY",
    "WEIGHTS",
    "ALIASES",
    "FALLBACKS",
    "DEFAULT_LEVEL",
    "ECO_BELOW",
    "PRECISION_FROM",
    "MAX_ATTEMPTS",
    "PRIORITY_TIERS",
    "REGIONS",
    "CONTENT_FILTER_FALLBACK",
]


async def test_before_the_first_version_the_defaults_are_in_force(
    graphql: GraphQL, admin: Principal
) -> None:
    assert await graphql.data(RULES, admin) == {
        "routingRules": {
            "scope": "GLOBAL",
            "version": 0,
            "decides": [],
            "settings": DEFAULTS,
            "live": None,
        }
    }


async def test_a_published_rule_set_is_in_force_at_once(graphql: GraphQL, admin: Principal) -> None:
    await stock(graphql.database)
    made = await put(graphql, admin, **GIVEN, note="Cheaper.")

    assert made["rules"] == {
        "version": 1,
        "decides": EVERYTHING,
        "settings": {
            **GIVEN,
            "aliases": [{**ALIASES[1], "strategy": None}, {**ALIASES[0], "fallbacks": []}],
        },
        "live": {"state": "LIVE", "note": "Cheaper.", "author": {"name": "Ada"}},
    }
    ruleset = graphql.configuration.snapshot.ruleset
    assert ruleset.strategy is Strategy.CUSTOM
    assert ruleset.weights == Weights(7000, 2000, 1000)
    assert ruleset.eco_below == 250_000_000
    assert ruleset.aliases["best"].fallbacks == ("fast", "open")
    assert await changes(graphql) == ["rule"]


async def test_each_publication_retires_the_one_before_and_keeps_it(
    graphql: GraphQL, admin: Principal
) -> None:
    await put(graphql, admin, strategy="COST", expectedVersion=0)
    made = await put(graphql, admin, strategy="LATENCY", expectedVersion=1)

    assert made["rules"]["version"] == 2
    assert made["rules"]["decides"] == ["STRATEGY"]
    assert await kept(graphql) == [(1, "RETIRED"), (2, "LIVE")]


async def test_a_stale_expected_version_is_refused(graphql: GraphQL, admin: Principal) -> None:
    await put(graphql, admin, strategy="COST")

    assert await put(graphql, admin, strategy="LATENCY", expectedVersion=0) == {
        "__typename": "ConflictError",
        "code": "CONFLICT",
        "message": "The rules are at version 1, not 0: read them anew.",
    }
    assert await kept(graphql) == [(1, "LIVE")]
    assert graphql.configuration.snapshot.ruleset.strategy is Strategy.COST
    assert await changes(graphql) == ["rule"]


async def test_of_two_publications_at_once_one_is_refused(
    graphql: GraphQL, admin: Principal
) -> None:
    results = await asyncio.gather(
        *(put(graphql, admin, strategy="COST", expectedVersion=0) for _ in range(4))
    )

    types = sorted(result["__typename"] for result in results)
    assert types == ["ConflictError"] * 3 + ["SetRoutingRulesPayload"]
    assert await kept(graphql) == [(1, "LIVE")]


async def test_rolling_back_publishes_the_old_rules_anew(
    graphql: GraphQL, admin: Principal
) -> None:
    await put(graphql, admin, strategy="COST")
    await put(graphql, admin, strategy="LATENCY", maxAttempts=1)

    data = await graphql.data(ROLLBACK, admin, input={"version": 1, "expectedVersion": 2})

    assert data["rollbackRoutingRules"]["rules"] == {
        "version": 3,
        "decides": ["STRATEGY"],
        "live": {"note": "Back to version 1."},
        "settings": {"strategy": "COST"},
    }
    assert await kept(graphql) == [(1, "RETIRED"), (2, "RETIRED"), (3, "LIVE")]
    assert graphql.configuration.snapshot.ruleset.strategy is Strategy.COST
    assert graphql.configuration.snapshot.ruleset.max_attempts == 3


async def test_there_is_no_way_back_to_a_version_that_never_was(
    graphql: GraphQL, admin: Principal
) -> None:
    await put(graphql, admin, strategy="COST")

    data = await graphql.data(ROLLBACK, admin, input={"version": 2})

    assert data["rollbackRoutingRules"] == {
        "__typename": "NotFoundError",
        "code": "NOT_FOUND",
        "message": "There is no version 2.",
    }
    assert await kept(graphql) == [(1, "LIVE")]


async def test_versions_are_listed_from_the_newest(graphql: GraphQL, admin: Principal) -> None:
    for strategy in ("COST", "LATENCY", "BALANCED"):
        await put(graphql, admin, strategy=strategy, note=strategy)

    first = (await graphql.data(VERSIONS, admin, first=2))["routingRuleVersions"]
    rest = (await graphql.data(VERSIONS, admin, after=first["pageInfo"]["endCursor"]))[
        "routingRuleVersions"
    ]
    retired = await graphql.data(VERSIONS, admin, filter={"states": ["RETIRED"]})

    assert first["totalCount"] == 3
    assert [(n["version"], n["state"], n["note"]) for n in first["nodes"]] == [
        (3, "LIVE", "BALANCED"),
        (2, "RETIRED", "LATENCY"),
    ]
    assert first["pageInfo"]["hasNextPage"]
    assert [node["version"] for node in rest["nodes"]] == [1]
    assert [node["version"] for node in retired["routingRuleVersions"]["nodes"]] == [2, 1]


async def test_the_number_of_statements_does_not_grow_with_the_page(
    graphql: GraphQL, admin: Principal
) -> None:
    counts = []
    for size in (1, 100):
        async with graphql.database.write(None) as session:
            session.add_all(
                RoutingRule(scope="GLOBAL", version=n, state="RETIRED", body={}, author_id=uuid7())
                for n in range(size, 2 * size)
            )
        with graphql.statements() as sent:
            data = await graphql.data(VERSIONS, admin, first=100)
        counts.append((len(data["routingRuleVersions"]["nodes"]), len(sent)))

    assert counts == [(1, counts[0][1]), (100, counts[0][1])]


@pytest.mark.parametrize("document", [RULES, VERSIONS])
async def test_the_installations_rules_are_for_administrators(
    graphql: GraphQL, user: Principal, document: str
) -> None:
    assert await refusals(graphql, document, user) == ["FORBIDDEN"]
    assert await refusals(graphql, document, None) == ["UNAUTHENTICATED"]


async def test_users_and_strangers_change_no_rules(graphql: GraphQL, user: Principal) -> None:
    for document, input in ((SET, {"strategy": "COST"}), (ROLLBACK, {"version": 1})):
        assert await refusals(graphql, document, user, input=input) == ["FORBIDDEN"]
        assert await refusals(graphql, document, None, input=input) == ["UNAUTHENTICATED"]
    assert await kept(graphql) == []
    assert await changes(graphql) == []


async def test_a_version_is_found_by_its_id_by_administrators_only(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    await put(graphql, admin, strategy="COST")
    id = (await graphql.data(RULES, admin))["routingRules"]["live"]["id"]
    document = "query ($id: ID!) { node(id: $id) { ... on RoutingRuleVersion { version } } }"

    assert await graphql.data(document, admin, id=id) == {"node": {"version": 1}}
    assert await graphql.data(document, user, id=id) == {"node": None}


async def test_aliases_come_in_pages_by_name(graphql: GraphQL, admin: Principal) -> None:
    await stock(graphql.database)
    await put(graphql, admin, **GIVEN)
    page = """query ($after: String) {
      routingRules { settings { aliases(first: 1, after: $after) { name } } }
    }"""

    names = []
    for after in (None, "best", "fast"):
        found = await graphql.data(page, admin, after=after)
        names.append([each["name"] for each in found["routingRules"]["settings"]["aliases"]])

    assert names == [["best"], ["fast"], []]
