"""The packaged catalogue against what is held: told as a difference, applied by choice."""

from typing import Any

import pytest

from db.session import Database
from domain.catalogue import seed
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL, add_provider

CHANGE = "kind name contextLength price { input output cachedInput } heldPrice { input output }"
REFRESH = f"""
mutation ($provider: ID!) {{
  refreshCatalogue(input: {{provider: $provider}}) {{
    __typename ... on Error {{ message }}
    ... on RefreshCataloguePayload {{ source changeCount changes {{ {CHANGE} }} }}
  }}
}}
"""
APPLY = """
mutation ($input: ApplyDiscoveryInput!) {
  applyDiscovery(input: $input) {
    __typename ... on ApplyDiscoveryPayload {
      models { reference currentPrice { input output } prices { totalCount } }
    }
  }
}
"""
PRICED = """
mutation ($input: CreateModelInput!) { createModel(input: $input) { __typename } }
"""
OFF = """
mutation ($input: SetModelsEnabledInput!) {
  setModelsEnabled(input: $input) {
    __typename ... on SetModelsEnabledPayload { models { reference enabled version } }
  }
}
"""


async def refresh(graphql: GraphQL, caller: Principal, provider: str) -> Any:
    return (await graphql.data(REFRESH, caller, provider=provider))["refreshCatalogue"]


async def test_what_is_missing_is_new_and_what_was_applied_is_no_more(
    graphql: GraphQL, admin: Principal
) -> None:
    provider = await add_provider(graphql, admin, "mine", type="ANTHROPIC")
    told = await refresh(graphql, admin, provider)
    one = told["changes"][0]
    entry = {
        "kind": "NEW",
        "name": one["name"],
        "price": {"input": one["price"]["input"], "output": one["price"]["output"]},
    }
    await graphql.data(APPLY, admin, input={"provider": provider, "entries": [entry]})
    after = await refresh(graphql, admin, provider)

    assert told["source"].startswith("genai-prices ")
    assert told["changeCount"] == len(told["changes"]) > 2
    assert {each["kind"] for each in told["changes"]} == {"NEW"}
    assert one["heldPrice"] is None
    assert one["name"] not in {each["name"] for each in after["changes"] if each["kind"] == "NEW"}


async def test_another_price_is_told_with_the_one_held_and_applied_from_now_on(
    graphql: GraphQL, admin: Principal
) -> None:
    provider = await add_provider(graphql, admin, "mine", type="OPENAI")
    model = {"provider": provider, "name": "gpt-4o-mini", "price": {"input": "9", "output": "9"}}
    await graphql.data(PRICED, admin, input=model)
    told = await refresh(graphql, admin, provider)
    [change] = [each for each in told["changes"] if each["kind"] == "REPRICED"]
    amounts = {key: value for key, value in change["price"].items() if value is not None}
    entry = {"kind": "REPRICED", "name": "gpt-4o-mini", "price": amounts}
    done = await graphql.data(APPLY, admin, input={"provider": provider, "entries": [entry]})
    after = await refresh(graphql, admin, provider)

    assert (change["name"], change["heldPrice"]) == ("gpt-4o-mini", {"input": "9", "output": "9"})
    [model] = done["applyDiscovery"]["models"]
    assert model["currentPrice"]["input"] == change["price"]["input"] == "0.15"
    assert model["prices"]["totalCount"] == 2
    assert "REPRICED" not in {each["kind"] for each in after["changes"]}


async def test_a_seeded_installation_has_nothing_to_refresh(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    async with database.write(None) as session:
        await seed(session, graphql.cipher, {}, reset=False)
    providers = await graphql.data("{ providers { nodes { id slug } } }", admin)

    for each in providers["providers"]["nodes"]:
        assert (await refresh(graphql, admin, each["id"]))["changes"] == [], each["slug"]
    async with database.write(None) as session:
        again = await seed(session, graphql.cipher, {}, reset=False)
    assert (again.providers, again.models, again.prices) == (0, 0, 0)


async def test_of_a_custom_provider_the_catalogue_knows_nothing(
    graphql: GraphQL, admin: Principal
) -> None:
    provider = await add_provider(graphql, admin, "own", type="CUSTOM", baseUrl="https://x.example")

    assert (await refresh(graphql, admin, provider))["__typename"] == "ConflictError"


@pytest.mark.parametrize("unknown", [True, False])
async def test_many_models_are_switched_at_once_or_none(
    graphql: GraphQL, admin: Principal, provider: str, unknown: bool
) -> None:
    for name in ("a", "b", "c"):
        await graphql.data(PRICED, admin, input={"provider": provider, "name": name})
    listed = "{ models { nodes { id reference enabled } } }"
    ids = [each["id"] for each in (await graphql.data(listed, admin))["models"]["nodes"]]
    wanted = [ids[1], "bm9wZQ=="] if unknown else [ids[1], ids[0]]
    done = await graphql.data(OFF, admin, input={"models": wanted, "enabled": False})

    now = {
        each["reference"]: each["enabled"]
        for each in (await graphql.data(listed, admin))["models"]["nodes"]
    }
    answer = done["setModelsEnabled"]
    if unknown:
        assert answer["__typename"] == "NotFoundError"
        assert set(now.values()) == {True}
    else:
        assert [each["reference"] for each in answer["models"]] == ["openai/b", "openai/a"]
        assert now == {"openai/a": False, "openai/b": False, "openai/c": True}
