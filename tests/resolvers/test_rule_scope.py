"""Routing rules of organisations and people: narrower ones override field by field, and narrow."""

from dataclasses import replace
from typing import Any

import pytest

from domain.principal import MemberRole, Principal, Role
from domain.routing import ruleset_of
from domain.ruleset import Strategy, Weights
from schema.node import global_id
from tests.resolvers.conftest import GraphQL, make_principal
from tests.resolvers.rules import SET, put, refusals, stock
from tests.resolvers.test_rule import ROLLBACK, VERSIONS

ALIASES = "aliases(first: 5) { name targets scope version }"
RULES = f"""
query ($scope: RuleScope!, $organization: ID) {{
  routingRules(scope: $scope, organization: $organization) {{
    scope version decides organization {{ slug }}
    origins {{ field scope version }} settings {{ strategy maxAttempts regions {ALIASES} }}
    live {{ id }}
  }}
}}
"""
EFFECTIVE = f"""
query ($user: ID, $organization: ID) {{
  effectiveRoutingRules(user: $user, organization: $organization) {{
    settings {{ strategy maxAttempts regions fallbacks {ALIASES} }}
    origins {{ field scope version }}
  }}
}}
"""
OWN_WEIGHTS = {"strategy": "CUSTOM", "weights": {"cost": 1000, "latency": 1000, "quality": 8000}}


@pytest.fixture
def governor(user: Principal) -> Principal:
    """An administrator of Uma's organisation."""
    return replace(user, organization_role=MemberRole.ADMIN)


async def effective(graphql: GraphQL, caller: Principal, **ids: str) -> Any:
    return (await graphql.data(EFFECTIVE, caller, **ids))["effectiveRoutingRules"]


def origins(found: Any) -> dict[str, tuple[str, int]]:
    return {
        one["field"]: (one["scope"], one["version"]) for one in found["origins"] if one["scope"]
    }


def organization_of(caller: Principal) -> str:
    assert caller.organization_id is not None
    return global_id("Organization", caller.organization_id)


async def test_each_scope_overrides_what_it_sets_and_says_so(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await stock(graphql.database)
    fast = {"name": "fast", "targets": ["local/small"]}
    aliases = [fast, {"name": "best", "targets": ["local/large"]}]
    await put(graphql, admin, strategy="COST", maxAttempts=4, aliases=aliases)
    own = {"strategy": "LATENCY", "aliases": [{"name": "fast", "targets": ["large"]}]}
    await put(graphql, governor, scope="ORGANIZATION", **own)
    await put(graphql, governor, scope="USER", **OWN_WEIGHTS, maxAttempts=2)

    found = await effective(graphql, governor)
    theirs = await effective(graphql, admin)

    assert found["settings"]["strategy"] == "CUSTOM"
    assert found["settings"]["maxAttempts"] == 2
    assert origins(found) == {
        "STRATEGY": ("USER", 1),
        "WEIGHTS": ("USER", 1),
        "MAX_ATTEMPTS": ("USER", 1),
    }
    assert found["settings"]["aliases"] == [
        {"name": "best", "targets": ["local/large"], "scope": "GLOBAL", "version": 1},
        {"name": "fast", "targets": ["large"], "scope": "ORGANIZATION", "version": 1},
    ]
    assert (theirs["settings"]["strategy"], theirs["settings"]["maxAttempts"]) == ("COST", 4)
    snapshot = graphql.configuration.snapshot
    mine = ruleset_of(snapshot, governor.organization_id, governor.user_id)
    assert (mine.strategy, mine.weights) == (Strategy.CUSTOM, Weights(1000, 1000, 8000))
    assert ruleset_of(snapshot, None, None) is snapshot.ruleset


async def test_a_field_nobody_sets_any_more_falls_back(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await put(graphql, admin, strategy="COST")
    await put(graphql, governor, scope="ORGANIZATION", strategy="LATENCY")
    assert (await effective(graphql, governor))["settings"]["strategy"] == "LATENCY"

    await put(graphql, governor, scope="ORGANIZATION")

    assert (await effective(graphql, governor))["settings"]["strategy"] == "COST"


async def test_narrower_rules_only_narrow(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await put(graphql, admin, maxAttempts=3, regions=["eu", "us"])
    refused = [
        await put(graphql, governor, scope="ORGANIZATION", maxAttempts=4),
        await put(graphql, governor, scope="ORGANIZATION", regions=["eu", "asia"]),
    ]
    await put(graphql, governor, scope="ORGANIZATION", maxAttempts=2, regions=["eu"])
    narrowed = await effective(graphql, governor)
    await put(graphql, admin, maxAttempts=1, regions=["us"])
    later = await effective(graphql, governor)

    assert [one["field"] for one in refused] == ["maxAttempts", "regions"]
    assert (narrowed["settings"]["maxAttempts"], narrowed["settings"]["regions"]) == (2, ["eu"])
    assert (later["settings"]["maxAttempts"], later["settings"]["regions"]) == (1, [])
    assert origins(later)["MAX_ATTEMPTS"] == ("GLOBAL", 2)


@pytest.mark.parametrize(
    ("scope", "field", "input"),
    [
        ("ORGANIZATION", "ecoBelow", {"ecoBelow": "2"}),
        ("ORGANIZATION", "precisionFrom", {"precisionFrom": "20"}),
        ("USER", "precisionFrom", {"precisionFrom": "20"}),
        ("USER", "aliases", {"aliases": [{"name": "mine", "targets": ["small"]}]}),
        ("USER", "fallbacks", {"fallbacks": ["small"]}),
        ("USER", "defaultLevel", {"defaultLevel": "PRECISION"}),
        ("USER", "priorityTiers", {"priorityTiers": True}),
        ("USER", "contentFilterFallback", {"contentFilterFallback": True}),
    ],
)
async def test_no_scope_decides_what_is_not_its_own(
    graphql: GraphQL, governor: Principal, scope: str, field: str, input: dict[str, Any]
) -> None:
    await stock(graphql.database)
    refused = await put(graphql, governor, scope=scope, **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert graphql.configuration.snapshot.scoped == {}


async def test_an_organisations_aliases_may_lead_to_wider_ones_but_not_in_a_circle(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await stock(graphql.database)
    wider = [{"name": "a", "targets": ["b"]}, {"name": "b", "targets": ["small"]}]
    await put(graphql, admin, aliases=wider)
    made = await put(
        graphql, governor, scope="ORGANIZATION", aliases=[{"name": "c", "targets": ["a"]}]
    )
    round_ = await put(
        graphql, governor, scope="ORGANIZATION", aliases=[{"name": "b", "targets": ["a"]}]
    )

    assert made["rules"]["version"] == 1
    assert (round_["__typename"], round_["field"]) == ("InvalidInputError", "aliases.0.targets")


async def test_whose_rules_are_whose(
    graphql: GraphQL, admin: Principal, user: Principal, governor: Principal
) -> None:
    uma, ada = organization_of(user), organization_of(admin)
    organization = {"scope": "ORGANIZATION", "organization": uma}

    async def asked(caller: Principal, variables: dict[str, Any]) -> list[str | None]:
        return await refusals(graphql, RULES, caller, **variables)

    assert await asked(user, organization) == ["FORBIDDEN"]
    assert await asked(governor, organization) == []
    assert await asked(admin, organization) == []
    assert await asked(governor, {**organization, "organization": ada}) == ["NOT_FOUND"]
    assert await asked(admin, {**organization, "organization": "nothing"}) == ["NOT_FOUND"]
    assert await asked(user, {"scope": "USER"}) == []
    assert await asked(user, {"scope": "USER", "organization": uma}) == ["INVALID_INPUT"]
    for document, input in ((SET, {}), (ROLLBACK, {"version": 1})):
        refused = await refusals(graphql, document, user, input={**organization, **input})
        assert refused == ["FORBIDDEN"]
    stranger = await put(graphql, governor, scope="ORGANIZATION", organization=ada)
    assert stranger["__typename"] == "NotFoundError"


async def test_a_key_limited_to_models_does_not_change_what_others_reach(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    for caller, scope in ((admin, "GLOBAL"), (governor, "ORGANIZATION")):
        limited = replace(caller, allowed_models=frozenset({"fast"}))
        assert await refusals(graphql, SET, limited, input={"scope": scope}) == ["FORBIDDEN"]
    limited = replace(governor, allowed_models=frozenset({"fast"}))
    assert (await put(graphql, limited, scope="USER", **OWN_WEIGHTS))["rules"]["version"] == 1


async def test_versions_of_a_scope_are_its_own(
    graphql: GraphQL, admin: Principal, governor: Principal, user: Principal
) -> None:
    await put(graphql, admin, strategy="COST")
    await put(graphql, governor, scope="ORGANIZATION", strategy="LATENCY")
    document = VERSIONS.replace("(first: $first,", "(scope: ORGANIZATION, first: $first,")

    listed = (await graphql.data(document, governor))["routingRuleVersions"]
    rules = await graphql.data(RULES, governor, scope="ORGANIZATION")
    back = await graphql.data(ROLLBACK, governor, input={"scope": "ORGANIZATION", "version": 2})
    node = "query ($id: ID!) { node(id: $id) { ... on RoutingRuleVersion { scope } } }"
    id = rules["routingRules"]["live"]["id"]

    assert [one["version"] for one in listed["nodes"]] == [1]
    assert rules["routingRules"]["organization"] == {"slug": "uma"}
    assert back["rollbackRoutingRules"]["__typename"] == "NotFoundError"
    assert await graphql.data(node, governor, id=id) == {"node": {"scope": "ORGANIZATION"}}
    assert await graphql.data(node, user, id=id) == {"node": None}
    assert await refusals(graphql, document, user) == ["FORBIDDEN"]


async def test_administrators_see_what_anybody_is_routed_by(
    graphql: GraphQL, admin: Principal, governor: Principal, user: Principal
) -> None:
    await put(graphql, governor, scope="ORGANIZATION", strategy="LATENCY")
    await put(graphql, user, scope="USER", **OWN_WEIGHTS)
    uma, organization = global_id("User", user.user_id), organization_of(user)

    member = await effective(graphql, admin, organization=organization)
    person = await effective(graphql, admin, user=uma)

    assert member["settings"]["strategy"] == "LATENCY"
    assert person["settings"]["strategy"] == "CUSTOM"
    assert await refusals(graphql, EFFECTIVE, admin, user=uma, organization=organization) == []
    elsewhere = {"user": uma, "organization": organization_of(admin)}
    assert await refusals(graphql, EFFECTIVE, admin, **elsewhere) == ["NOT_FOUND"]
    ada = global_id("User", admin.user_id)
    assert await refusals(graphql, EFFECTIVE, user, user=ada) == ["NOT_FOUND"]
    foreign = {"organization": organization_of(admin)}
    assert await refusals(graphql, EFFECTIVE, user, **foreign) == ["NOT_FOUND"]


async def test_what_is_switched_off_is_not_shown_to_those_who_did_not_write_it(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await stock(graphql.database)
    await put(
        graphql,
        admin,
        fallbacks=["local/large"],
        aliases=[{"name": "both", "targets": ["local/small", "local/large"]}],
    )
    update = """mutation ($input: UpdateModelInput!) {
      updateModel(input: $input) { __typename }
    }"""
    models = '{ models(filter: {search: "large"}) { nodes { id version } } }'
    [large] = (await graphql.data(models, admin))["models"]["nodes"]
    off = {"id": large["id"], "expectedVersion": large["version"], "enabled": False}
    await graphql.data(update, admin, input=off)

    seen, everything = await effective(graphql, governor), await effective(graphql, admin)

    assert seen["settings"]["fallbacks"] == []
    assert [one["targets"] for one in seen["settings"]["aliases"]] == [["local/small"]]
    assert everything["settings"]["fallbacks"] == ["local/large"]


async def test_statements_do_not_grow_with_the_rules(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    await stock(graphql.database)
    counts = []
    for size in (1, 5):
        aliases = [{"name": f"a{n}", "targets": ["small"]} for n in range(size)]
        await put(graphql, governor, scope="ORGANIZATION", aliases=aliases)
        with graphql.statements() as sent:
            await graphql.data(RULES, governor, scope="ORGANIZATION")
        counts.append(len(sent))
    other = await make_principal(graphql.database, Role.USER, "otto")

    assert counts[0] == counts[1]
    assert (await effective(graphql, other))["settings"]["aliases"] == []
