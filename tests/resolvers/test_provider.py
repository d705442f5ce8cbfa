"""Providers: created, changed, listed, deleted; refused where the rules say so."""

from typing import Any

import pytest
from sqlalchemy import select

from db.models.configuration import ConfigChange
from db.models.provider import Provider
from domain.principal import Principal
from tests.provider.server import FakeProvider
from tests.resolvers.conftest import GraphQL

SECRET = "sk-canary-0123456789-wxyz"
ERROR = """
    __typename
    ... on Error { code message retryable }
    ... on ConflictError { references }
"""
CREATE = f"""
mutation ($input: CreateProviderInput!) {{
  createProvider(input: $input) {{
    {ERROR}
    ... on InvalidInputError {{ field }}
    ... on CreateProviderPayload {{
      provider {{ id slug name type baseUrl region priority enabled version
                  timeouts {{ connectMs firstTokenMs totalMs }} }}
    }}
  }}
}}
"""


async def create(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    data = await graphql.data(CREATE, caller, input={"type": "OPENAI", **input})
    return data["createProvider"]


async def changes(graphql: GraphQL) -> list[str]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(ConfigChange.kind).order_by(ConfigChange.number)))


async def slugs(graphql: GraphQL) -> list[str]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(Provider.slug).order_by(Provider.slug)))


async def test_creates_a_provider_with_its_types_address(
    graphql: GraphQL, admin: Principal
) -> None:
    made = await create(graphql, admin, slug="openai", timeouts={"connectMs": 900})

    provider = made["provider"]
    assert provider.pop("id")
    assert provider == {
        "slug": "openai",
        "name": "openai",
        "type": "OPENAI",
        "baseUrl": "https://api.openai.com/v1",
        "region": None,
        "priority": 100,
        "enabled": True,
        "version": 1,
        "timeouts": {"connectMs": 900, "firstTokenMs": None, "totalMs": None},
    }
    assert await changes(graphql) == ["provider"]


async def test_refuses_a_name_already_taken(graphql: GraphQL, admin: Principal) -> None:
    await create(graphql, admin, slug="openai")

    assert await create(graphql, admin, slug="openai") == {
        "__typename": "ConflictError",
        "code": "CONFLICT",
        "message": "There is already a provider `openai`.",
        "retryable": False,
        "references": [],
    }
    assert await changes(graphql) == ["provider"]


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("slug", {"slug": "Open AI"}),
        ("slug", {"slug": "-x"}),
        ("slug", {"slug": "x" * 41}),
        ("name", {"slug": "x", "name": " "}),
        ("name", {"slug": "x", "name": "a\nb"}),
        ("priority", {"slug": "x", "priority": -1}),
        ("timeouts.connectMs", {"slug": "x", "timeouts": {"connectMs": 0}}),
        ("baseUrl", {"slug": "x", "type": "CUSTOM"}),
        ("baseUrl", {"slug": "x", "baseUrl": "http://api.example.com"}),
        ("baseUrl", {"slug": "x", "baseUrl": "http://127.0.0.1:9"}),
        ("baseUrl", {"slug": "x", "baseUrl": "ftp://api.example.com"}),
        ("baseUrl", {"slug": "x", "baseUrl": "https://user:pass@api.example.com"}),
        ("baseUrl", {"slug": "x", "baseUrl": "https://api.example.com/?key=1"}),
        ("baseUrl", {"slug": "x", "baseUrl": "https://api.example.com:99999"}),
        ("baseUrl", {"slug": "x", "baseUrl": "https://"}),
        ("baseUrl", {"slug": "x", "baseUrl": "https://a.example\\@b.example"}),
        ("baseUrl", {"slug": "x", "baseUrl": "https://a.example /v1"}),
    ],
)
async def test_refuses_bad_values_and_names_the_field(
    graphql: GraphQL, admin: Principal, field: str, input: dict[str, Any]
) -> None:
    refused = await create(graphql, admin, **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert await slugs(graphql) == []
    assert await changes(graphql) == []


async def test_takes_plain_http_where_the_operator_lists_the_host(
    graphql: GraphQL, admin: Principal, fake_provider: FakeProvider
) -> None:
    made = await create(
        graphql, admin, slug="local", type="CUSTOM", baseUrl=f"{fake_provider.base_url}/"
    )

    assert made["provider"]["baseUrl"] == fake_provider.base_url


async def test_brings_an_address_to_its_plain_form(graphql: GraphQL, admin: Principal) -> None:
    made = await create(graphql, admin, slug="x", baseUrl="HTTPS://API.Example.COM:443/v1/")

    assert made["provider"]["baseUrl"] == "https://api.example.com/v1"


async def test_a_user_may_not_create_one(graphql: GraphQL, user: Principal) -> None:
    refused = await graphql.codes(CREATE, user, input={"slug": "x", "type": "OPENAI"})

    assert refused == ["FORBIDDEN"]
    assert await slugs(graphql) == []


async def test_a_stranger_is_unauthenticated(graphql: GraphQL) -> None:
    refused = await graphql.codes(CREATE, None, input={"slug": "x", "type": "OPENAI"})

    assert refused == ["UNAUTHENTICATED"]
    assert await slugs(graphql) == []


async def test_filters_and_orders(graphql: GraphQL, admin: Principal) -> None:
    await create(graphql, admin, slug="b-one", priority=2)
    await create(graphql, admin, slug="a-two", priority=2, type="COHERE")
    await create(graphql, admin, slug="c_".replace("_", "-x"), priority=1, enabled=False)

    async def listed(arguments: str) -> list[str]:
        data = await graphql.data(f"{{ providers{arguments} {{ nodes {{ slug }} }} }}", admin)
        return [node["slug"] for node in data["providers"]["nodes"]]

    assert await listed("") == ["c-x", "a-two", "b-one"]
    assert await listed("(orderBy: {field: SLUG, direction: DESC})") == ["c-x", "b-one", "a-two"]
    assert await listed("(orderBy: {field: CREATED})") == ["b-one", "a-two", "c-x"]
    assert await listed('(filter: {search: "ONE"})') == ["b-one"]
    assert await listed('(filter: {search: "%"})') == []
    assert await listed("(filter: {types: [COHERE]})") == ["a-two"]
    assert await listed("(filter: {enabled: false})") == ["c-x"]


async def test_users_see_enabled_providers_without_their_keys(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    shown = await create(graphql, admin, slug="shown")
    hidden = await create(graphql, admin, slug="hidden", enabled=False)
    ids = [shown["provider"]["id"], hidden["provider"]["id"]]

    data = await graphql.data(
        """query ($ids: [ID!]!) {
          providers { nodes { slug } totalCount }
          everything: providers(filter: {enabled: false}) { totalCount }
          provider(slug: "hidden") { slug }
          nodes(ids: $ids) { id }
        }""",
        user,
        ids=ids,
    )

    assert data == {
        "providers": {"nodes": [{"slug": "shown"}], "totalCount": 1},
        "everything": {"totalCount": 0},
        "provider": None,
        "nodes": [{"id": ids[0]}, None],
    }
    keys = "{ providers { nodes { credentials { nodes { mask } } } } }"
    assert await graphql.codes(keys, user) == ["FORBIDDEN"]


async def test_the_change_is_applied_in_this_process_when_the_answer_comes(
    graphql: GraphQL, admin: Principal
) -> None:
    before = graphql.configuration.snapshot.number
    await create(graphql, admin, slug="openai")

    assert graphql.configuration.snapshot.number == before + 1
