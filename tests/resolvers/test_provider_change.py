"""Providers: changed, deleted and tested; keys stay behind, and rules are not left dangling."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from db.models.rule import RoutingRule
from domain.principal import Principal
from tests.provider.server import FakeProvider
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_provider import ERROR, SECRET, changes, create, slugs

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


TEST = """
mutation ($input: TestProviderInput!) {
  testProvider(input: $input) {
    __typename
    ... on Error { message }
    ... on TestProviderPayload { ok httpStatus error modelCount provider { slug } }
  }
}
"""


async def add_fake(graphql: GraphQL, caller: Principal, fake: FakeProvider) -> str:
    made = await create(graphql, caller, slug="fake", type="CUSTOM", baseUrl=fake.base_url)
    id: str = made["provider"]["id"]
    return id


async def test_tests_a_provider_with_its_stored_key(
    graphql: GraphQL, admin: Principal, fake_provider: FakeProvider
) -> None:
    fake_provider.key = SECRET
    id = await add_fake(graphql, admin, fake_provider)
    await graphql.data(CREATE_KEY, admin, input={"provider": id, "secret": SECRET})

    data = await graphql.data(TEST, admin, input={"id": id})

    assert data["testProvider"] == {
        "__typename": "TestProviderPayload",
        "ok": True,
        "httpStatus": 200,
        "error": None,
        "modelCount": 3,
        "provider": {"slug": "fake"},
    }
    [asked] = fake_provider.log
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


async def test_tells_the_providers_own_words_when_it_refuses_the_key(
    graphql: GraphQL, admin: Principal, fake_provider: FakeProvider
) -> None:
    fake_provider.key = "another"
    id = await add_fake(graphql, admin, fake_provider)
    await graphql.data(CREATE_KEY, admin, input={"provider": id, "secret": SECRET})

    found = (await graphql.data(TEST, admin, input={"id": id}))["testProvider"]

    assert (found["ok"], found["httpStatus"], found["modelCount"]) == (False, 401, 0)
    assert found["error"]
    assert SECRET not in found["error"]


async def test_a_key_left_behind_is_not_sent_to_the_new_address(
    graphql: GraphQL, admin: Principal, fake_provider: FakeProvider
) -> None:
    made = await create(graphql, admin, slug="moved")
    id = made["provider"]["id"]
    await graphql.data(CREATE_KEY, admin, input={"provider": id, "secret": SECRET})
    await graphql.data(UPDATE, admin, input={"id": id, "baseUrl": fake_provider.base_url})

    data = await graphql.data(TEST, admin, input={"id": id})

    assert data["testProvider"] == {
        "__typename": "ConflictError",
        "message": "`moved` has no key in use: store one first.",
    }
    assert fake_provider.log == []


async def test_no_session_is_held_while_a_provider_is_asked(
    graphql: GraphQL, admin: Principal, fake_provider: FakeProvider
) -> None:
    id = await add_fake(graphql, admin, fake_provider)
    held: list[int] = []
    ask = graphql.probe.test

    async def watched(provider: Any, key: Any, model: Any = None, *, thorough: bool = False) -> Any:
        pool = graphql.database.engine.sync_engine.pool
        assert isinstance(pool, QueuePool)
        held.append(pool.checkedout())
        return await ask(provider, key, model)

    graphql.probe.test = watched  # type: ignore[method-assign]
    await graphql.data(TEST, admin, input={"id": id})

    assert held == [0]


async def test_a_user_may_not_test_a_provider(
    graphql: GraphQL, admin: Principal, user: Principal, fake_provider: FakeProvider
) -> None:
    id = await add_fake(graphql, admin, fake_provider)

    assert await graphql.codes(TEST, user, input={"id": id}) == ["FORBIDDEN"]
    assert fake_provider.log == []
