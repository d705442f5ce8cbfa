"""Models and their dated prices: exact, filtered, ordered, kept from users where not served."""

from typing import Any

import pytest
from sqlalchemy import select

from db.models.model import Model, Price
from db.models.rule import RoutingDraft
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL, add_provider

ERROR = """
    __typename ... on Error { code message } ... on ConflictError { references }
"""
FIELD = "... on InvalidInputError { field }"
PRICE = "input output cachedInput cacheWrite reasoning source"
CREATE = f"""
mutation ($input: CreateModelInput!) {{
  createModel(input: $input) {{
    {ERROR} {FIELD}
    ... on CreateModelPayload {{ model {{
      id reference displayName canonicalName contextLength inputModalities capabilities
      quality enabled version powerLevel
      provider {{ slug }} currentPrice {{ {PRICE} }}
    }} }}
  }}
}}
"""
UPDATE = f"""
mutation ($input: UpdateModelInput!) {{
  updateModel(input: $input) {{
    {ERROR} {FIELD}
    ... on UpdateModelPayload {{
      model {{ displayName contextLength levelPin version powerLevel }}
    }}
  }}
}}
"""
DELETE = f"""
mutation ($input: DeleteModelInput!) {{
  deleteModel(input: $input) {{ {ERROR} ... on DeleteModelPayload {{ deletedId }} }}
}}
"""


async def create(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(CREATE, caller, input=input))["createModel"]


async def rows(graphql: GraphQL, entity: Any) -> list[Any]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(entity)))


async def test_creates_a_model_with_its_first_price(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    made = await create(
        graphql,
        admin,
        provider=provider,
        name="vendor/gpt-4o",
        contextLength=128_000,
        capabilities=["TOOLS", "STREAMING"],
        price={"input": "2.5", "output": "10", "cachedInput": "1.250001"},
    )

    model = made["model"]
    assert model.pop("id")
    assert model == {
        "reference": "openai/vendor/gpt-4o",
        "displayName": "vendor/gpt-4o",
        "canonicalName": "gpt-4o",
        "contextLength": 128_000,
        "inputModalities": ["TEXT"],
        "capabilities": ["TOOLS", "STREAMING"],
        "quality": None,
        "enabled": True,
        "version": 1,
        "powerLevel": "BALANCED",
        "provider": {"slug": "openai"},
        "currentPrice": {
            "input": "2.5",
            "output": "10",
            "cachedInput": "1.250001",
            "cacheWrite": None,
            "reasoning": None,
            "source": "manual",
        },
    }
    [price] = await rows(graphql, Price)
    assert (price.input, price.output, price.cached_input) == (2_500_000, 10_000_000, 1_250_001)


async def test_without_a_price_it_is_unknown_and_not_zero(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, name="m")

    assert made["model"]["currentPrice"] is None
    assert made["model"]["powerLevel"] is None


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "two words"}),
        ("displayName", {"name": "m", "displayName": " "}),
        ("contextLength", {"name": "m", "contextLength": 0}),
        ("quality", {"name": "m", "quality": 1.5}),
        ("price.input", {"name": "m", "price": {"input": "-1", "output": "1"}}),
        ("price.output", {"name": "m", "price": {"input": "1", "output": "0.0000001"}}),
    ],
)
async def test_refuses_bad_values_and_names_the_field(
    graphql: GraphQL, admin: Principal, provider: str, field: str, input: dict[str, Any]
) -> None:
    refused = await create(graphql, admin, provider=provider, **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert await rows(graphql, Model) == []


async def test_refuses_a_name_its_provider_already_has(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    other = await add_provider(graphql, admin, "other")
    await create(graphql, admin, provider=provider, name="m")

    refused = await create(graphql, admin, provider=provider, name="m")
    elsewhere = await create(graphql, admin, provider=other, name="m")

    assert refused["__typename"] == "ConflictError"
    assert refused["message"] == "`openai` already has a model `m`."
    assert elsewhere["model"]["reference"] == "other/m"


async def test_updates_what_is_named_and_nothing_else(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, name="m", contextLength=8_000)
    id = made["model"]["id"]

    input = {"id": id, "expectedVersion": 1, "levelPin": "PRECISION", "contextLength": None}
    changed = await graphql.data(UPDATE, admin, input=input)
    late = await graphql.data(UPDATE, admin, input={**input, "displayName": "Late"})

    assert changed["updateModel"]["model"] == {
        "displayName": "m",
        "contextLength": None,
        "levelPin": "PRECISION",
        "version": 2,
        "powerLevel": "PRECISION",
    }
    assert late["updateModel"]["__typename"] == "ConflictError"
    assert [row.display_name for row in await rows(graphql, Model)] == ["m"]


async def test_refuses_to_delete_what_rules_name_unless_forced(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, name="m")
    body = {"fallbacks": ["openai/m"]}
    async with graphql.database.write(None) as session:
        session.add(RoutingDraft(scope="GLOBAL", base_version=1, revision=1, body=body))
    input = {"id": made["model"]["id"]}

    refused = await graphql.data(DELETE, admin, input=input)
    kept = len(await rows(graphql, Model))
    forced = await graphql.data(DELETE, admin, input={**input, "force": True})

    assert refused["deleteModel"]["references"] == ["fallbacks of draft global rules, version 1"]
    assert kept == 1
    assert forced["deleteModel"]["deletedId"] == input["id"]
    assert await rows(graphql, Model) == []


@pytest.fixture
async def other(graphql: GraphQL, admin: Principal, provider: str) -> str:
    """Another provider, and three models: a dear one, a cheap one, and one without a price."""
    other = await add_provider(graphql, admin, "other")
    cheap, dear = {"input": "0.1", "output": "0.1"}, {"input": "20", "output": "20"}
    await create(graphql, admin, provider=provider, name="b", price=cheap, contextLength=9)
    await create(
        graphql, admin, provider=provider, name="a", price=dear, capabilities=["TOOLS", "VISION"]
    )
    await create(
        graphql,
        admin,
        provider=other,
        name="c",
        quality=0.5,
        enabled=False,
        canonicalName="b",
        inputModalities=["TEXT", "IMAGE"],
    )
    return other


async def listed(graphql: GraphQL, admin: Principal, arguments: str, **variables: Any) -> list[str]:
    declared = "($p: ID)" if variables else ""
    document = f"query {declared} {{ models{arguments} {{ nodes {{ reference }} }} }}"
    data = await graphql.data(document, admin, **variables)
    return [node["reference"] for node in data["models"]["nodes"]]


FOUND = [
    ("", "openai/a openai/b other/c"),
    ('(filter: {search: "AI/B"})', "openai/b"),
    ("(filter: {level: ECO})", "openai/b"),
    ("(filter: {level: PRECISION})", "openai/a"),
    ("(filter: {capabilities: [VISION]})", "openai/a"),
    ("(filter: {enabled: false})", "other/c"),
    ('(filter: {canonicalName: "b"})', "openai/b other/c"),
    ("(filter: {inputModalities: [IMAGE, TEXT]})", "other/c"),
    ("(filter: {outputModalities: [IMAGE]})", ""),
    ("(filter: {minContextLength: 9})", "openai/b"),
    ("(filter: {minContextLength: 10})", ""),
    ("(filter: {priced: false})", "other/c"),
    ("(filter: {priced: true})", "openai/a openai/b"),
    ('(filter: {priceFrom: "0.1", priceTo: "19.9"})', "openai/b"),
    ('(filter: {priceFrom: "0.100000001"})', "openai/a"),
    ("(orderBy: {field: PRICE})", "other/c openai/b openai/a"),
    ("(first: 1, orderBy: {field: PRICE, direction: DESC})", "openai/a"),
]


@pytest.mark.parametrize(("arguments", "references"), FOUND)
async def test_filters_and_orders(
    graphql: GraphQL, admin: Principal, other: str, arguments: str, references: str
) -> None:
    assert await listed(graphql, admin, arguments) == references.split()


async def test_of_one_provider_and_the_best_or_longest_first(
    graphql: GraphQL, admin: Principal, other: str
) -> None:
    best = "(orderBy: {field: QUALITY, direction: DESC})"
    longest = "(orderBy: {field: CONTEXT_LENGTH, direction: DESC})"

    assert await listed(graphql, admin, "(filter: {provider: $p})", p=other) == ["other/c"]
    assert await listed(graphql, admin, "(filter: {provider: $p})", p="nonsense") == []
    assert (await listed(graphql, admin, best))[0] == "other/c"
    assert (await listed(graphql, admin, longest))[0] == "openai/b"


async def test_users_see_only_what_is_served(
    graphql: GraphQL, admin: Principal, user: Principal, provider: str
) -> None:
    off = await add_provider(graphql, admin, "off", enabled=False)
    price = {"input": "1", "output": "1"}
    served = await create(graphql, admin, provider=provider, name="served", price=price)
    hidden = await create(graphql, admin, provider=provider, name="hidden", enabled=False)
    buried = await create(graphql, admin, provider=off, name="buried")
    ids = [made["model"]["id"] for made in (served, hidden, buried)]

    data = await graphql.data(
        """query ($ids: [ID!]!) {
          models { nodes { reference currentPrice { input } } totalCount }
          model(reference: "off/buried") { name }
          nodes(ids: $ids) { id }
          providers { nodes { models { totalCount nodes { name } } } }
        }""",
        user,
        ids=ids,
    )

    assert data == {
        "models": {
            "nodes": [{"reference": "openai/served", "currentPrice": {"input": "1"}}],
            "totalCount": 1,
        },
        "model": None,
        "nodes": [{"id": ids[0]}, None, None],
        "providers": {"nodes": [{"models": {"totalCount": 1, "nodes": [{"name": "served"}]}}]},
    }


async def test_a_user_may_not_change_models(
    graphql: GraphQL, user: Principal, provider: str
) -> None:
    refused = await graphql.codes(CREATE, user, input={"provider": provider, "name": "m"})

    assert refused == ["FORBIDDEN"]
    assert await rows(graphql, Model) == []
