"""Who is asking, their settings, and finding things by id."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from db.models.user import UserSettings
from domain.principal import Principal, Scope
from tests.resolvers.conftest import GraphQL

VIEWER = """
{ viewer {
  role organizationRole scopes user { name role } organization { slug } settings { powerLevel }
} }
"""
UPDATE = """
mutation ($input: UpdateSettingsInput!) {
  updateSettings(input: $input) {
    __typename ... on UpdateSettingsPayload { settings { powerLevel } }
  }
}
"""


async def levels(graphql: GraphQL) -> list[str]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(UserSettings.power_level)))


async def test_tells_who_is_asking(graphql: GraphQL, user: Principal) -> None:
    assert await graphql.data(VIEWER, user) == {
        "viewer": {
            "role": "USER",
            "organizationRole": "MEMBER",
            "scopes": ["INFERENCE", "MANAGE", "READ"],
            "user": {"name": "Uma", "role": "USER"},
            "organization": {"slug": "uma"},
            "settings": {"powerLevel": "BALANCED"},
        }
    }


async def test_a_key_for_inference_only_tells_nothing(graphql: GraphQL, user: Principal) -> None:
    caller = replace(user, scopes=frozenset({Scope.INFERENCE}))

    assert await graphql.codes(VIEWER, caller) == ["FORBIDDEN"]


async def test_a_stranger_is_nobody(graphql: GraphQL) -> None:
    assert await graphql.codes(VIEWER, None) == ["UNAUTHENTICATED"]


async def test_a_person_chooses_their_own_level(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    changed = await graphql.data(UPDATE, user, input={"powerLevel": "ECO"})

    assert changed["updateSettings"]["settings"] == {"powerLevel": "ECO"}
    assert (await graphql.data(VIEWER, user))["viewer"]["settings"] == {"powerLevel": "ECO"}
    assert (await graphql.data(VIEWER, admin))["viewer"]["settings"] == {"powerLevel": "BALANCED"}


async def test_what_is_left_out_stays(graphql: GraphQL, user: Principal) -> None:
    await graphql.data(UPDATE, user, input={"powerLevel": "PRECISION"})

    unchanged = await graphql.data(UPDATE, user, input={})

    assert unchanged["updateSettings"]["settings"] == {"powerLevel": "PRECISION"}


async def test_a_level_is_given_up_and_preferences_are_kept_beside_it(
    graphql: GraphQL, user: Principal
) -> None:
    both = {"powerLevel": "ECO", "preferences": {"theme": "dark", "columns": ["cost"]}}
    await graphql.data(UPDATE, user, input=both)
    await graphql.data(UPDATE, user, input={"powerLevel": None})

    settings = (await graphql.data(VIEWER, user))["viewer"]["settings"]
    assert settings == {"powerLevel": "BALANCED"}
    kept = await graphql.data("{ viewer { settings { preferences } } }", user)
    assert kept["viewer"]["settings"]["preferences"] == both["preferences"]


@pytest.mark.parametrize("preferences", [[], "x", 1, {"x": "y" * 4096}])
async def test_preferences_are_a_small_object(
    graphql: GraphQL, user: Principal, preferences: object
) -> None:
    refused = await graphql.data(UPDATE, user, input={"preferences": preferences})

    assert refused["updateSettings"]["__typename"] == "InvalidInputError"
    assert await levels(graphql) == []


async def test_a_key_that_may_only_read_changes_nothing(graphql: GraphQL, user: Principal) -> None:
    caller = replace(user, scopes=frozenset({Scope.READ}))

    assert await graphql.codes(UPDATE, caller, input={"powerLevel": "ECO"}) == ["FORBIDDEN"]
    assert await levels(graphql) == []


async def test_somebody_elses_id_is_as_good_as_no_id(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    query = "{ viewer { user { id } organization { id } } }"
    own = (await graphql.data(query, user))["viewer"]
    foreign = (await graphql.data(query, admin))["viewer"]
    ids = [each[kind]["id"] for each in (own, foreign) for kind in ("user", "organization")]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    found = await graphql.data(document, user, ids=[*ids, "bm9wZQ==", "Query:", ""])
    everything = await graphql.data(document, admin, ids=ids)

    assert found["nodes"] == [
        {"__typename": "User", "id": ids[0]},
        {"__typename": "Organization", "id": ids[1]},
        None,
        None,
        None,
        None,
        None,
    ]
    assert [node["id"] for node in everything["nodes"]] == ids


async def test_at_most_a_hundred_ids_at_once(graphql: GraphQL, user: Principal) -> None:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    result = await graphql(document, user, ids=["x"] * 101)

    assert result.errors is not None
    assert [error.message for error in result.errors] == ["At most 100 at once."]
