"""Connections: every row once, from either end, in any order, alone or one for each parent."""

from typing import Any

import pytest

from db.session import Database
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.seeds import seed

PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String, $order: ProviderOrder) {
  providers(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    edges { cursor node { slug } }
    nodes { slug }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""
BY_SLUG = {"field": "SLUG", "direction": "ASC"}
BY_NAME = {"field": "NAME", "direction": "DESC"}


async def page(graphql: GraphQL, caller: Principal, **variables: Any) -> Any:
    return (await graphql.data(PAGE, caller, **variables))["providers"]


def slugs(found: Any) -> list[str]:
    return [edge["node"]["slug"] for edge in found["edges"]]


@pytest.mark.parametrize("order", [None, BY_SLUG, BY_NAME])
async def test_forwards_and_backwards_give_every_row_once_in_the_same_order(
    graphql: GraphQL, database: Database, admin: Principal, order: Any
) -> None:
    await seed(database, 7, models_each=0)
    whole = slugs(await page(graphql, admin, first=100, order=order))

    forwards: list[str] = []
    after = None
    while True:
        found = await page(graphql, admin, first=3, after=after, order=order)
        forwards += slugs(found)
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    backwards: list[str] = []
    before = None
    while True:
        found = await page(graphql, admin, last=3, before=before, order=order)
        backwards = slugs(found) + backwards
        assert found["pageInfo"]["hasNextPage"] is (before is not None)
        before = found["pageInfo"]["startCursor"]
        if not found["pageInfo"]["hasPreviousPage"]:
            break

    assert sorted(whole) == [f"p{n:03}" for n in range(7)]
    assert forwards == backwards == whole


async def test_a_page_tells_its_cursors_nodes_and_the_total(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    await seed(database, 5, models_each=0)

    found = await page(graphql, admin, first=2, order=BY_SLUG)

    assert slugs(found) == [node["slug"] for node in found["nodes"]] == ["p000", "p001"]
    assert found["totalCount"] == 5
    assert found["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": found["edges"][0]["cursor"],
        "endCursor": found["edges"][1]["cursor"],
    }


async def test_twenty_by_default(graphql: GraphQL, database: Database, admin: Principal) -> None:
    await seed(database, 21, models_each=0)

    assert len(slugs(await page(graphql, admin))) == 20
    assert slugs(await page(graphql, admin, first=0)) == []


async def test_an_empty_list_has_no_cursors(graphql: GraphQL, admin: Principal) -> None:
    assert await page(graphql, admin) == {
        "edges": [],
        "nodes": [],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
        "totalCount": 0,
    }


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"first": -1}, "`first` lies between 0 and 100."),
        ({"first": 101}, "`first` lies between 0 and 100."),
        ({"last": 101}, "`last` lies between 0 and 100."),
        ({"first": 1, "last": 1}, "Give `first` or `last`, not both."),
        ({"after": ""}, "This cursor does not belong to this list in this order."),
        ({"after": "nonsense"}, "This cursor does not belong to this list in this order."),
        ({"before": "ÿ"}, "This cursor does not belong to this list in this order."),
        ({"before": "WzEsMl0"}, "This cursor does not belong to this list in this order."),
    ],
)
async def test_refuses_arguments_that_do_not_fit(
    graphql: GraphQL, admin: Principal, variables: dict[str, Any], message: str
) -> None:
    result = await graphql(PAGE, admin, **variables)

    assert result.errors is not None
    assert [error.message for error in result.errors] == [message]


async def test_refuses_a_cursor_of_another_order(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    await seed(database, 2, models_each=0)
    cursor = (await page(graphql, admin, order=BY_SLUG))["pageInfo"]["endCursor"]

    result = await graphql(PAGE, admin, after=cursor, order=BY_NAME)

    assert result.errors is not None


async def test_each_parent_has_its_own_page(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    await seed(database, 3, models_each=5)
    document = """
    query ($after: String) {
      providers(orderBy: {field: SLUG}) { nodes {
        slug
        models(first: 2, after: $after, orderBy: {field: NAME}) {
          nodes { name provider { slug } } pageInfo { hasNextPage endCursor } totalCount
        }
        last: models(last: 1, orderBy: {field: NAME}) { nodes { name } }
      } }
    }
    """

    data = await graphql.data(document, admin)

    for provider in data["providers"]["nodes"]:
        own = {"slug": provider["slug"]}
        assert provider["models"]["nodes"] == [
            {"name": "m000", "provider": own},
            {"name": "m001", "provider": own},
        ]
        assert provider["models"]["pageInfo"]["hasNextPage"] is True
        assert provider["models"]["totalCount"] == 5
        assert provider["last"]["nodes"] == [{"name": "m004"}]


async def test_one_edge_with_a_bad_argument_does_not_spoil_another(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    await seed(database, 1)
    document = """
    { provider(slug: "p000") { good: models { nodes { name } } } other: provider(slug: "p000") {
      bad: models(first: 1000) { nodes { name } }
    } }
    """

    result = await graphql(document, admin)

    assert result.errors is not None
    assert [error.message for error in result.errors] == ["`first` lies between 0 and 100."]
    assert result.data is not None
    assert len(result.data["provider"]["good"]["nodes"]) == 2
