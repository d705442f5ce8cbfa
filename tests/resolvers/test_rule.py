"""Routing rules: published, replaced, rolled back, listed; refused where they make no sense."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from db.models.configuration import ConfigChange
from db.models.model import Model
from db.models.provider import Provider
from db.models.rule import RoutingRule
from db.session import Database
from domain.principal import Principal
from domain.ruleset import Strategy, Weights
from tests.resolvers.conftest import GraphQL

SETTINGS = """
    strategy weights { cost latency quality } aliases { name targets fallbacks strategy }
    fallbacks defaultLevel ecoBelow precisionFrom maxAttempts priorityTiers
"""
ERROR = """
    __typename
    ... on Error { code message }
    ... on InvalidInputError { field }
"""
SET = f"""
mutation ($input: SetRoutingRulesInput!) {{
  setRoutingRules(input: $input) {{
    {ERROR}
    ... on SetRoutingRulesPayload {{
      rules {{ version decides settings {{ {SETTINGS} }}
               live {{ state note author {{ name }} }} }}
    }}
  }}
}}
"""
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
}


@pytest.fixture
async def catalogue(database: Database) -> None:
    """`local/small`, `local/large` and `local/meta/open`, whose canonical name is `open`."""
    provider = Provider(
        slug="local", name="Local", type="CUSTOM", base_url="https://x.test", options={}
    )
    async with database.write(None) as session:
        session.add(provider)
        await session.flush()
        session.add_all(
            Model(
                provider_id=provider.id,
                name=name,
                canonical_name=name.rpartition("/")[2],
                display_name=name,
            )
            for name in ("small", "large", "meta/open")
        )


async def put(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(SET, caller, input=input))["setRoutingRules"]


async def kept(graphql: GraphQL) -> list[tuple[int, str]]:
    """(version, state) of everything stored."""
    async with graphql.database.read(None) as session:
        found = await session.execute(
            select(RoutingRule.version, RoutingRule.state).order_by(RoutingRule.version)
        )
        return [(row.version, row.state) for row in found]


async def changes(graphql: GraphQL) -> list[str]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(ConfigChange.kind).order_by(ConfigChange.number)))


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


async def test_a_published_rule_set_is_in_force_at_once(
    graphql: GraphQL, admin: Principal, catalogue: None
) -> None:
    weights = {"cost": 7000, "latency": 2000, "quality": 1000}
    aliases = [
        {"name": "fast", "targets": ["local/small", "auto:eco"], "strategy": "LATENCY"},
        {"name": "best", "targets": ["large"], "fallbacks": ["fast", "open"]},
    ]
    given = {
        "strategy": "CUSTOM",
        "weights": weights,
        "aliases": aliases,
        "fallbacks": ["local/large", "meta/open"],
        "defaultLevel": "ECO",
        "ecoBelow": "0.25",
        "precisionFrom": "12.5",
        "maxAttempts": 2,
        "priorityTiers": True,
    }

    made = await put(graphql, admin, **given, note="Cheaper.")

    assert made["rules"] == {
        "version": 1,
        "decides": [
            "STRATEGY",
            "WEIGHTS",
            "ALIASES",
            "FALLBACKS",
            "DEFAULT_LEVEL",
            "ECO_BELOW",
            "PRECISION_FROM",
            "MAX_ATTEMPTS",
            "PRIORITY_TIERS",
        ],
        "settings": {
            **given,
            "aliases": [{**aliases[1], "strategy": None}, {**aliases[0], "fallbacks": []}],
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


def alias(name: str, *targets: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "targets": list(targets), **more}


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("scope", {"scope": "USER"}),
        ("weights", {"strategy": "CUSTOM"}),
        ("weights", {"weights": {"cost": 4000, "latency": 4000, "quality": 1999}}),
        ("weights.cost", {"weights": {"cost": -1, "latency": 10000, "quality": 1}}),
        ("maxAttempts", {"maxAttempts": 0}),
        ("maxAttempts", {"maxAttempts": 11}),
        ("ecoBelow", {"ecoBelow": "0"}),
        ("ecoBelow", {"ecoBelow": "10"}),
        ("precisionFrom", {"precisionFrom": "0.5"}),
        ("precisionFrom", {"precisionFrom": "-1"}),
        ("fallbacks", {"fallbacks": ["local/none"]}),
        ("fallbacks", {"fallbacks": ["auto"]}),
        ("fallbacks", {"fallbacks": ["small", "small"]}),
        ("fallbacks", {"fallbacks": ["any"], "aliases": [alias("any", "auto")]}),
        ("aliases.0.name", {"aliases": [alias("auto", "small")]}),
        ("aliases.0.name", {"aliases": [alias("Auto:eco", "small")]}),
        ("aliases.0.name", {"aliases": [alias("a/b", "small")]}),
        ("aliases.0.name", {"aliases": [alias("", "small")]}),
        ("aliases.1.name", {"aliases": [alias("a", "small"), alias("a", "large")]}),
        ("aliases.0.targets", {"aliases": [alias("a")]}),
        ("aliases.0.targets", {"aliases": [alias("a", "none")]}),
        ("aliases.0.targets", {"aliases": [alias("a", "auto:best")]}),
        ("aliases.0.targets", {"aliases": [alias("a", "a")]}),
        ("aliases.0.targets", {"aliases": [alias("a", "b"), alias("b", "small", "a")]}),
        (
            "aliases.1.fallbacks",
            {"aliases": [alias("a", "auto"), alias("b", "a", fallbacks=["a"])]},
        ),
        ("note", {"note": " "}),
    ],
)
async def test_refuses_rules_that_make_no_sense(
    graphql: GraphQL, admin: Principal, catalogue: None, field: str, input: dict[str, Any]
) -> None:
    result = await put(graphql, admin, **input)

    assert (result["__typename"], result["field"]) == ("InvalidInputError", field)
    assert await kept(graphql) == []
    assert await changes(graphql) == []


async def test_aliases_follow_each_other_only_as_far_as_the_planner_does(
    graphql: GraphQL, admin: Principal, catalogue: None
) -> None:
    chain = [alias(f"a{n}", f"a{n + 1}") for n in range(15)] + [alias("a15", "small")]
    longer = [alias("a", "a0"), *chain]

    refused = await put(graphql, admin, aliases=longer)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", "aliases.0.targets")
    assert (await put(graphql, admin, aliases=chain))["rules"]["version"] == 1


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
async def test_rules_are_for_administrators(
    graphql: GraphQL, user: Principal, document: str
) -> None:
    assert await graphql.codes(document, user) == ["FORBIDDEN"]
    assert await graphql.codes(document, None) == ["UNAUTHENTICATED"]


async def test_users_and_strangers_change_no_rules(graphql: GraphQL, user: Principal) -> None:
    for document, input in ((SET, {"strategy": "COST"}), (ROLLBACK, {"version": 1})):
        assert await graphql.codes(document, user, input=input) == ["FORBIDDEN"]
        assert await graphql.codes(document, None, input=input) == ["UNAUTHENTICATED"]
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
