"""Providers: created, changed, listed, deleted; refused where the rules say so."""

from typing import Any

import pytest
from sqlalchemy import select, text

from auth.secrets import SecretBox
from db.models.configuration import ConfigChange
from db.models.provider import Provider
from db.models.rule import RoutingRule
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

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
UPDATE = f"""
mutation ($input: UpdateProviderInput!) {{
  updateProvider(input: $input) {{
    {ERROR}
    ... on InvalidInputError {{ field }}
    ... on UpdateProviderPayload {{
      provider {{ slug name baseUrl region version timeouts {{ connectMs totalMs }}
                  credentials {{ nodes {{ state stateReason }} }} }}
    }}
  }}
}}
"""
DELETE = f"""
mutation ($input: DeleteProviderInput!) {{
  deleteProvider(input: $input) {{ {ERROR} ... on DeleteProviderPayload {{ deletedId }} }}
}}
"""
CREATE_KEY = """
mutation ($input: CreateCredentialInput!) {
  createCredential(input: $input) { ... on CreateCredentialPayload { credential { id } } }
}
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
        ("baseUrl", {"slug": "x", "baseUrl": "http://127.0.0.1:9098"}),
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
    graphql: GraphQL, admin: Principal
) -> None:
    made = await create(
        graphql, admin, slug="local", type="CUSTOM", baseUrl="http://127.0.0.1:9099/v1/"
    )

    assert made["provider"]["baseUrl"] == "http://127.0.0.1:9099/v1"


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


async def test_updates_what_is_named_and_nothing_else(graphql: GraphQL, admin: Principal) -> None:
    made = await create(
        graphql, admin, slug="openai", region="eu", timeouts={"connectMs": 900, "totalMs": 5000}
    )
    input = {
        "id": made["provider"]["id"],
        "expectedVersion": 1,
        "name": "Open",
        "timeouts": {"connectMs": None},
    }

    data = await graphql.data(UPDATE, admin, input=input)

    assert data["updateProvider"]["provider"] == {
        "slug": "openai",
        "name": "Open",
        "baseUrl": "https://api.openai.com/v1",
        "region": "eu",
        "version": 2,
        "timeouts": {"connectMs": None, "totalMs": 5000},
        "credentials": {"nodes": []},
    }


async def test_refuses_an_update_of_a_version_that_is_gone(
    graphql: GraphQL, admin: Principal
) -> None:
    made = await create(graphql, admin, slug="openai")
    id = made["provider"]["id"]
    await graphql.data(UPDATE, admin, input={"id": id, "name": "First"})

    late = {"id": id, "expectedVersion": 1, "name": "Second"}
    data = await graphql.data(UPDATE, admin, input=late)

    assert data["updateProvider"]["__typename"] == "ConflictError"
    shown = await graphql.data('{ provider(slug: "openai") { name version } }', admin)
    assert shown == {"provider": {"name": "First", "version": 2}}


async def test_an_unknown_id_is_not_found(graphql: GraphQL, admin: Principal) -> None:
    for id in ("bm9wZQ==", "!!", "", "UHJvdmlkZXI6" + "A" * 22 + "=="):
        data = await graphql.data(UPDATE, admin, input={"id": id, "name": "x"})
        assert data["updateProvider"]["__typename"] == "NotFoundError", id


async def test_keys_do_not_follow_to_another_address(graphql: GraphQL, admin: Principal) -> None:
    made = await create(graphql, admin, slug="openai")
    id = made["provider"]["id"]
    await graphql.data(CREATE_KEY, admin, input={"provider": id, "secret": "sk-" + "x" * 30})

    same = {"id": id, "baseUrl": "https://api.openai.com/v2"}
    kept = await graphql.data(UPDATE, admin, input=same)
    other = {"id": id, "baseUrl": "https://evil.example/v1"}
    left = await graphql.data(UPDATE, admin, input=other)

    assert kept["updateProvider"]["provider"]["credentials"]["nodes"] == [
        {"state": "ACTIVE", "stateReason": None}
    ]
    assert left["updateProvider"]["provider"]["credentials"]["nodes"] == [
        {"state": "NEEDS_KEY", "stateReason": "The provider's address changed."}
    ]


async def rule(graphql: GraphQL, body: dict[str, Any]) -> None:
    async with graphql.database.write(None) as session:
        session.add(RoutingRule(scope="GLOBAL", version=3, state="LIVE", body=body))


async def test_refuses_to_delete_what_rules_name_and_lists_it(
    graphql: GraphQL, admin: Principal
) -> None:
    made = await create(graphql, admin, slug="openai")
    await rule(
        graphql,
        {"aliases": {"fast": {"targets": ["openai/gpt-4o"]}}, "fallbacks": ["openai/gpt-4o-mini"]},
    )
    input = {"id": made["provider"]["id"]}

    refused = await graphql.data(DELETE, admin, input=input)

    assert refused["deleteProvider"] == {
        "__typename": "ConflictError",
        "code": "CONFLICT",
        "message": "`openai` is named by 2 places in routing rules; change them or force.",
        "retryable": False,
        "references": [
            "targets of alias `fast` of live global rules, version 3",
            "fallbacks of live global rules, version 3",
        ],
    }
    assert await slugs(graphql) == ["openai"]

    forced = await graphql.data(DELETE, admin, input={**input, "force": True})
    assert forced["deleteProvider"]["deletedId"] == input["id"]
    assert await slugs(graphql) == []


async def test_deletes_a_provider_with_its_keys(graphql: GraphQL, admin: Principal) -> None:
    made = await create(graphql, admin, slug="openai")
    id = made["provider"]["id"]
    await graphql.data(CREATE_KEY, admin, input={"provider": id, "secret": "sk-" + "x" * 30})

    await graphql.data(DELETE, admin, input={"id": id})

    async with graphql.database.read(None) as session:
        assert await session.scalar(text("SELECT count(*) FROM llm_credentials")) == 0
    assert await changes(graphql) == ["provider", "credential", "provider"]


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


async def test_a_provider_without_a_key_is_not_tested(
    graphql: GraphQL, admin: Principal, cipher: SecretBox
) -> None:
    made = await create(graphql, admin, slug="openai")

    data = await graphql.data(
        """mutation ($input: TestProviderInput!) {
          testProvider(input: $input) { __typename ... on Error { message } }
        }""",
        admin,
        input={"id": made["provider"]["id"]},
    )

    assert data["testProvider"] == {
        "__typename": "ConflictError",
        "message": "`openai` has no key in use: store one first.",
    }
