"""Routing rules that make no sense are refused, by the field at fault."""

from typing import Any

import pytest

from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.rules import changes, kept, put, stock


def alias(name: str, *targets: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "targets": list(targets), **more}


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("regions", {"regions": []}),
        ("regions", {"regions": ["eu", "eu"]}),
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
    graphql: GraphQL, admin: Principal, field: str, input: dict[str, Any]
) -> None:
    await stock(graphql.database)
    result = await put(graphql, admin, **input)

    assert (result["__typename"], result["field"]) == ("InvalidInputError", field)
    assert await kept(graphql) == []
    assert await changes(graphql) == []


async def test_aliases_follow_each_other_only_as_far_as_the_planner_does(
    graphql: GraphQL, admin: Principal
) -> None:
    await stock(graphql.database)
    chain = [alias(f"a{n}", f"a{n + 1}") for n in range(15)] + [alias("a15", "small")]
    longer = [alias("a", "a0"), *chain]

    refused = await put(graphql, admin, aliases=longer)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", "aliases.0.targets")
    assert (await put(graphql, admin, aliases=chain))["rules"]["version"] == 1
