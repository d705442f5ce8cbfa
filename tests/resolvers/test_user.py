"""People: made by hand, changed, disabled; who sees whom."""

from typing import Any

import pytest
from sqlalchemy import update

from db.models.user import User
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.people import Town, build_town, do, organization, person

LIST = """
query ($filter: UserFilter, $orderBy: UserOrder, $first: Int, $after: String) {
  users(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes { name } pageInfo { hasNextPage endCursor }
  }
}
"""
ONE = """
query ($id: ID!) {
  user(id: $id) { name settings { powerLevel } memberships { nodes { organization { slug } } } }
}
"""


@pytest.fixture
async def town(graphql: GraphQL) -> Town:
    return await build_town(graphql)


async def listed(graphql: GraphQL, caller: Principal, **variables: Any) -> list[str]:
    data = await graphql.data(LIST, caller, **variables)
    return [node["name"] for node in data["users"]["nodes"]]


async def test_a_person_made_by_hand_is_listed_and_changed(
    graphql: GraphQL, admin: Principal
) -> None:
    made = await do(graphql, admin, "createUser", name=" Dee ", email="dee@example.com")

    id = made["user"].pop("id")
    assert made["user"] == {
        "name": "Dee",
        "email": "dee@example.com",
        "role": "USER",
        "enabled": True,
        "issuer": None,
        "version": 1,
    }
    changed = await do(
        graphql, admin, "updateUser", id=id, expectedVersion=1, email=None, role="ADMIN"
    )
    assert changed["user"] == {
        **{"id": id, "name": "Dee", "email": None, "role": "ADMIN", "enabled": True},
        "version": 2,
    }
    stale = await do(graphql, admin, "updateUser", id=id, expectedVersion=1, enabled=False)
    assert (stale["__typename"], stale["code"]) == ("ConflictError", "CONFLICT")


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "a\nb"}),
        ("email", {"name": "x", "email": "nowhere"}),
        ("email", {"name": "x", "email": "a b@c"}),
    ],
)
async def test_refuses_what_is_no_name_or_address(
    graphql: GraphQL, admin: Principal, field: str, input: dict[str, Any]
) -> None:
    refused = await do(graphql, admin, "createUser", **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert await listed(graphql, admin) == ["Ada"]


async def test_the_list_filters_searches_orders_and_pages(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    await do(graphql, admin, "createUser", name="Zoe", email="ZOE@wimmel.example", role="ADMIN")
    await do(graphql, admin, "updateUser", id=person(town.other), enabled=False)

    assert await listed(graphql, admin) == ["Ada", "Bea", "Otto", "Wim", "Zoe"]
    assert await listed(graphql, admin, filter={"search": "WIM"}) == ["Wim", "Zoe"]
    assert await listed(graphql, admin, filter={"roles": ["ADMIN"]}) == ["Ada", "Zoe"]
    assert await listed(graphql, admin, filter={"enabled": False}) == ["Otto"]
    members = {"organization": town.place}
    assert await listed(graphql, admin, filter=members) == ["Bea", "Wim"]
    assert await listed(graphql, admin, filter={"organization": "bm9wZQ=="}) == []
    falling = {"field": "CREATED", "direction": "DESC"}
    assert (await listed(graphql, admin, orderBy=falling))[0] == "Zoe"
    first = (await graphql.data(LIST, admin, first=2))["users"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (5, True)
    after = first["pageInfo"]["endCursor"]
    assert await listed(graphql, admin, first=2, after=after) == ["Otto", "Wim"]


async def test_the_last_administrator_stays_one(graphql: GraphQL, admin: Principal) -> None:
    for change in ({"enabled": False}, {"role": "USER"}):
        refused = await do(graphql, admin, "updateUser", id=person(admin), **change)
        assert (refused["__typename"], "last administrator" in refused["message"]) == (
            "ConflictError",
            True,
        )
    await do(graphql, admin, "createUser", name="Zoe", role="ADMIN")
    demoted = await do(graphql, admin, "updateUser", id=person(admin), role="USER")
    assert demoted["user"]["role"] == "USER"


async def test_what_follows_a_sign_in_is_changed_there(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    async with graphql.database.write(None) as session:
        of_provider = {"issuer": "https://id.example", "subject": "w"}
        await session.execute(
            update(User).where(User.id == town.worker.user_id).values(**of_provider)
        )

    for change in ({"role": "ADMIN"}, {"name": "W"}, {"email": "w@example.com"}):
        refused = await do(graphql, admin, "updateUser", id=person(town.worker), **change)
        assert refused["__typename"] == "ConflictError"
        assert "https://id.example" in refused["message"]
    disabled = await do(graphql, admin, "updateUser", id=person(town.worker), enabled=False)
    assert disabled["user"]["enabled"] is False


async def test_one_sees_oneself_ones_members_and_nobody_else(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    async def names(caller: Principal) -> list[str]:
        found = []
        for whom in (town.boss, town.worker, town.other):
            one = (await graphql.data(ONE, caller, id=person(whom)))["user"]
            found += [] if one is None else [one["name"]]
        return found

    assert await names(admin) == ["Bea", "Wim", "Otto"]
    assert await names(town.boss) == ["Bea", "Wim"]
    assert await names(town.worker) == ["Wim"]
    assert await names(town.other) == ["Otto"]
    missing = await graphql.data(ONE, town.boss, id="bm9wZQ==")
    foreign = await graphql.data(ONE, town.boss, id=person(town.other))
    assert missing == foreign == {"user": None}


async def test_a_members_own_choices_are_not_their_administrators(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    seen = (await graphql.data(ONE, town.boss, id=person(town.worker)))["user"]
    assert seen["settings"] is None
    assert [each["organization"]["slug"] for each in seen["memberships"]["nodes"]] == ["bea"]
    assert (await graphql.data(ONE, admin, id=person(town.worker)))["user"]["settings"]


async def test_who_sees_an_organization(graphql: GraphQL, admin: Principal, town: Town) -> None:
    document = "query ($id: ID!) { node(id: $id) { ... on Organization { slug } } }"
    found = [
        (await graphql.data(document, caller, id=organization(town.other.organization_id)))["node"]
        for caller in (admin, town.other, town.boss, town.worker)
    ]
    assert found == [{"slug": "otto"}, {"slug": "otto"}, None, None]
