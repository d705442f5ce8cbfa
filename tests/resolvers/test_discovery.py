"""Discovery: what a provider says it serves against what is held, and applying what was chosen."""

from typing import Any

import pytest
from sqlalchemy import select

from db.models.model import Model, Price
from domain.principal import Principal
from tests.provider.server import FakeProvider
from tests.resolvers.conftest import GraphQL, add_provider

SECRET = "sk-canary-0123456789-wxyz"
PRICES = "price { input output cachedInput } heldPrice { input output cachedInput }"
DISCOVER = f"""
mutation ($id: ID!) {{
  discoverModels(input: {{provider: $id}}) {{
    __typename ... on Error {{ message code }}
    ... on ProviderError {{ upstreamStatus }}
    ... on DiscoverModelsPayload {{
      provider {{ slug }} listedCount changeCount
      changes {{ kind name contextLength capabilities {PRICES} model {{ name }} }}
    }}
  }}
}}
"""
APPLY = """
mutation ($input: ApplyDiscoveryInput!) {
  applyDiscovery(input: $input) {
    __typename ... on Error { message } ... on InvalidInputError { field }
    ... on ApplyDiscoveryPayload {
      models { name enabled contextLength currentPrice { input output source } }
    }
  }
}
"""
MAKE = """
mutation ($key: CreateCredentialInput!, $kept: CreateModelInput!, $old: CreateModelInput!) {
  createCredential(input: $key) { __typename }
  kept: createModel(input: $kept) { __typename }
  old: createModel(input: $old) { __typename }
}
"""


def priced(prompt: str, completion: str, **more: str) -> dict[str, Any]:
    return {"pricing": {"prompt": prompt, "completion": completion, **more}}


@pytest.fixture
async def router(graphql: GraphQL, admin: Principal, fake_provider: FakeProvider) -> str:
    """Holds `kept` and `old`; the upstream lists `kept` and two new ones. Its id."""
    fake_provider.key = SECRET
    fake_provider.models = ["new", "unpriced", "kept"]
    fake_provider.details = {
        "new": {"context_length": 64_000, **priced("0.0000001", "0.0000004")},
        "unpriced": priced("-1", "-1"),
        "kept": priced("0.000001", "0.000002"),
    }
    id = await add_provider(
        graphql, admin, "router", type="OPENROUTER", baseUrl=fake_provider.base_url
    )
    price = {"input": "1", "output": "2", "cachedInput": "0.5"}
    await graphql.data(
        MAKE,
        admin,
        key={"provider": id, "secret": SECRET},
        kept={"provider": id, "name": "kept", "price": price},
        old={"provider": id, "name": "old"},
    )
    return id


async def discover(graphql: GraphQL, caller: Principal, provider: str) -> Any:
    return (await graphql.data(DISCOVER, caller, id=provider))["discoverModels"]


async def apply(graphql: GraphQL, caller: Principal, provider: str, *entries: Any) -> Any:
    input = {"provider": provider, "entries": list(entries)}
    return (await graphql.data(APPLY, caller, input=input))["applyDiscovery"]


async def held(graphql: GraphQL) -> tuple[list[tuple[str, bool]], int]:
    """Models with whether they are enabled, and how many prices there are."""
    async with graphql.database.read(None) as session:
        models = await session.scalars(select(Model).order_by(Model.name))
        prices = await session.scalars(select(Price))
        return [(each.name, each.enabled) for each in models], len(list(prices))


NEW = {
    "kind": "NEW",
    "name": "new",
    "contextLength": 64_000,
    "capabilities": [],
    "price": {"input": "0.1", "output": "0.4", "cachedInput": None},
    "heldPrice": None,
    "model": None,
}
UNKNOWN: dict[str, Any] = {**NEW, "name": "unpriced", "contextLength": None, "price": None}
GONE = {**UNKNOWN, "kind": "GONE", "name": "old", "model": {"name": "old"}}


async def test_tells_what_is_new_and_gone_and_changes_nothing(
    graphql: GraphQL, admin: Principal, router: str
) -> None:
    before = await held(graphql)

    found = await discover(graphql, admin, router)

    assert found == {
        "__typename": "DiscoverModelsPayload",
        "provider": {"slug": "router"},
        "listedCount": 3,
        "changeCount": 3,
        "changes": [NEW, UNKNOWN, GONE],
    }
    assert await held(graphql) == before


@pytest.mark.parametrize(
    ("told", "price"),
    [
        (
            priced("0.000001", "0.000003"),
            {"input": "1", "output": "3", "cachedInput": None},
        ),
        (
            priced("0.000001", "0.000002", input_cache_read="0.0000001"),
            {"input": "1", "output": "2", "cachedInput": "0.1"},
        ),
        (priced("0.000001", "0.000002", input_cache_read="0.0000005"), None),
        (priced("0.000001", "-1"), None),
    ],
)
async def test_tells_what_is_priced_otherwise(
    graphql: GraphQL,
    admin: Principal,
    router: str,
    fake_provider: FakeProvider,
    told: dict[str, Any],
    price: dict[str, Any] | None,
) -> None:
    fake_provider.details["kept"] = told

    found = await discover(graphql, admin, router)

    repriced = [
        (change["price"], change["heldPrice"])
        for change in found["changes"]
        if change["kind"] == "REPRICED"
    ]
    before = {"input": "1", "output": "2", "cachedInput": "0.5"}
    assert repriced == ([] if price is None else [(price, before)])


async def test_many_differences_are_as_many_statements_as_few(
    graphql: GraphQL, admin: Principal, router: str, fake_provider: FakeProvider
) -> None:
    with graphql.statements() as few:
        await discover(graphql, admin, router)
    entries = [{"kind": "NEW", "name": f"gone{n}"} for n in range(20)]
    await apply(graphql, admin, router, *entries)
    fake_provider.models = [f"new{n}" for n in range(20)]
    with graphql.statements() as many:
        found = await discover(graphql, admin, router)

    assert (found["changeCount"], len(many)) == (42, len(few))


async def test_a_model_that_is_switched_off_is_not_gone(
    graphql: GraphQL, admin: Principal, router: str
) -> None:
    await apply(graphql, admin, router, {"kind": "GONE", "name": "old"})

    found = await discover(graphql, admin, router)

    assert [change["name"] for change in found["changes"]] == ["new", "unpriced"]


async def test_applies_what_was_chosen(graphql: GraphQL, admin: Principal, router: str) -> None:
    applied = await apply(
        graphql,
        admin,
        router,
        {
            "kind": "NEW",
            "name": "new",
            "contextLength": 64_000,
            "price": {"input": "0.1", "output": "0.4"},
        },
        {"kind": "NEW", "name": "unpriced", "capabilities": []},
        {"kind": "REPRICED", "name": "kept", "price": {"input": "1", "output": "3"}},
        {"kind": "GONE", "name": "old"},
    )

    cheap = {"input": "0.1", "output": "0.4", "source": "discovery"}
    dearer = {"input": "1", "output": "3", "source": "discovery"}
    assert applied["models"] == [
        {"name": "new", "enabled": True, "contextLength": 64_000, "currentPrice": cheap},
        {"name": "unpriced", "enabled": True, "contextLength": None, "currentPrice": None},
        {"name": "kept", "enabled": True, "contextLength": None, "currentPrice": dearer},
        {"name": "old", "enabled": False, "contextLength": None, "currentPrice": None},
    ]
    models = graphql.configuration.snapshot.by_reference
    assert (models["router/new"].enabled, models["router/old"].enabled) == (True, False)
    found = await discover(graphql, admin, router)
    assert [change["kind"] for change in found["changes"]] == ["REPRICED"]


@pytest.mark.parametrize(
    ("entry", "kind", "message"),
    [
        (
            {"kind": "NEW", "name": "kept"},
            "ConflictError",
            "`router` already has a model `kept`.",
        ),
        (
            {"kind": "GONE", "name": "nowhere"},
            "NotFoundError",
            "There is no model `nowhere` at this provider.",
        ),
        (
            {"kind": "REPRICED", "name": "kept"},
            "InvalidInputError",
            "`kept` needs its new price.",
        ),
    ],
)
async def test_of_several_entries_all_are_applied_or_none(
    graphql: GraphQL, admin: Principal, router: str, entry: Any, kind: str, message: str
) -> None:
    before = await held(graphql)

    refused = await apply(graphql, admin, router, {"kind": "NEW", "name": "new"}, entry)

    assert (refused["__typename"], refused["message"]) == (kind, message)
    assert await held(graphql) == before


@pytest.mark.parametrize("count", [0, 101])
async def test_takes_one_to_a_hundred_entries(
    graphql: GraphQL, admin: Principal, router: str, count: int
) -> None:
    entries = [{"kind": "NEW", "name": f"m{n}"} for n in range(count)]

    refused = await apply(graphql, admin, router, *entries)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", "entries")


async def test_a_key_that_the_provider_refuses_is_put_away(
    graphql: GraphQL, admin: Principal, router: str, fake_provider: FakeProvider
) -> None:
    fake_provider.key = "another"

    failed = await discover(graphql, admin, router)
    again = await discover(graphql, admin, router)

    assert failed == {
        "__typename": "ProviderError",
        "message": "Wrong API key.",
        "code": "PROVIDER_ERROR",
        "upstreamStatus": 401,
    }
    assert again["__typename"] == "ConflictError"


async def test_a_user_neither_asks_nor_applies(
    graphql: GraphQL, user: Principal, router: str, fake_provider: FakeProvider
) -> None:
    before, calls = await held(graphql), len(fake_provider.log)
    input = {"provider": router, "entries": [{"kind": "GONE", "name": "old"}]}

    assert await graphql.codes(DISCOVER, user, id=router) == ["FORBIDDEN"]
    assert await graphql.codes(APPLY, user, input=input) == ["FORBIDDEN"]
    assert (await held(graphql), len(fake_provider.log)) == (before, calls)
