"""Creates with an idempotency key: sent twice they happen once; used otherwise they are refused."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from auth.secrets import SecretBox, generate_master_key
from db.models.idempotency import IdempotencyKey
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

SECRET = "sk-canary-0123456789-wxyz"
ERROR = "__typename ... on Error { code message }"
CREATES = {
    "createProvider": "... on CreateProviderPayload { made: provider { id name } }",
    "createCredential": "... on CreateCredentialPayload { made: credential { id name } }",
    "createModel": "... on CreateModelPayload { made: model { id name } }",
    "createApiKey": "... on CreateApiKeyPayload { made: apiKey { id name } secret }",
    "createUser": "... on CreateUserPayload { made: user { id name } }",
    "createOrganization": "... on CreateOrganizationPayload { made: organization { id name } }",
    "setModelPrice": "... on SetModelPricePayload { made: price { id } model { name } }",
}
TABLES = {
    "createProvider": "llm_providers",
    "createCredential": "llm_credentials",
    "createModel": "llm_models",
    "createApiKey": "api_keys",
    "createUser": "users",
    "createOrganization": "organizations",
    "setModelPrice": "llm_prices",
}


async def call(graphql: GraphQL, caller: Principal, name: str, input: dict[str, Any]) -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = (
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {ERROR} {CREATES[name]} }} }}"
    )
    return (await graphql.data(document, caller, input=input))[name]


async def count(graphql: GraphQL, table: str) -> int:
    async with graphql.database.read(None) as session:
        return await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


@pytest.fixture
async def model(graphql: GraphQL, admin: Principal, provider: str) -> str:
    made = await call(graphql, admin, "createModel", {"provider": provider, "name": "small"})
    id: str = made["made"]["id"]
    return id


def inputs(name: str, provider: str, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An input, and another one."""
    price = {"input": "1", "output": "2"}
    both: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "createProvider": (
            {"slug": "one", "type": "OPENAI", "timeouts": {"connectMs": None}},
            {"slug": "one", "type": "OPENAI"},
        ),
        "createCredential": (
            {"provider": provider, "secret": SECRET},
            {"provider": provider, "secret": SECRET + "2"},
        ),
        "createModel": (
            {"provider": provider, "name": "m"},
            {"provider": provider, "name": "n"},
        ),
        "createApiKey": ({"name": "ci"}, {"name": "ci", "scopes": ["READ"]}),
        "createUser": ({"name": "Ben"}, {"name": "Ben", "role": "ADMIN"}),
        "createOrganization": ({"slug": "acme"}, {"slug": "acme", "name": "Acme"}),
        "setModelPrice": (
            {"model": model, "price": price},
            {"model": model, "price": {**price, "output": "3"}},
        ),
    }
    return both[name]


@pytest.mark.parametrize("name", CREATES)
async def test_the_same_again_makes_nothing_and_answers_with_the_first(
    graphql: GraphQL, admin: Principal, provider: str, model: str, name: str
) -> None:
    input, other = ({**each, "idempotencyKey": "k-1"} for each in inputs(name, provider, model))
    before = await count(graphql, TABLES[name])

    first = await call(graphql, admin, name, input)
    asked, entries = len(graphql.asked_for), await count(graphql, "audit_log")
    again = await call(graphql, admin, name, input)
    refused = await call(graphql, admin, name, other)

    assert first["made"]["id"] == again["made"]["id"]
    assert {**again, "secret": None} == {**first, "secret": None}
    assert (refused["__typename"], refused["code"]) == ("ConflictError", "CONFLICT")
    assert await count(graphql, TABLES[name]) == before + 1
    assert (len(graphql.asked_for), await count(graphql, "audit_log")) == (asked, entries)


async def test_a_replay_never_shows_the_secret_again(graphql: GraphQL, admin: Principal) -> None:
    input = {"name": "ci", "idempotencyKey": "k-1"}

    first = await call(graphql, admin, "createApiKey", input)
    again = await call(graphql, admin, "createApiKey", input)

    async with graphql.database.read(None) as session:
        kept = str(
            await session.scalar(text("SELECT json_agg(idempotency_keys) FROM idempotency_keys"))
        )
    assert first["secret"].startswith("fl_")
    assert again["secret"] is None
    assert first["secret"] not in kept
    assert "k-1" not in kept


async def test_keys_are_each_callers_own(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    input = {"name": "ci", "idempotencyKey": "k-1"}

    mine = await call(graphql, admin, "createApiKey", input)
    theirs = await call(graphql, user, "createApiKey", input)

    assert mine["made"]["id"] != theirs["made"]["id"]
    assert await count(graphql, "api_keys") == 2


async def test_a_key_is_of_one_operation(graphql: GraphQL, admin: Principal, provider: str) -> None:
    await call(graphql, admin, "createApiKey", {"name": "m", "idempotencyKey": "k-1"})
    input = {"provider": provider, "name": "m", "idempotencyKey": "k-1"}

    assert (await call(graphql, admin, "createModel", input))["__typename"] == "ConflictError"
    assert await count(graphql, "llm_models") == 0


async def test_a_call_that_was_refused_leaves_its_key_unused(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    wrong = {"slug": "openai", "type": "OPENAI", "idempotencyKey": "k-1"}

    refused = await call(graphql, admin, "createProvider", wrong)
    right = await call(graphql, admin, "createProvider", {**wrong, "slug": "other"})

    assert refused["__typename"] == "ConflictError"
    assert right["__typename"] == "CreateProviderPayload"


async def test_what_was_made_and_is_gone_is_not_made_again(
    graphql: GraphQL, admin: Principal
) -> None:
    input = {"slug": "one", "type": "OPENAI", "idempotencyKey": "k-1"}
    made = await call(graphql, admin, "createProvider", input)
    document = "mutation ($id: ID!) { deleteProvider(input: {id: $id}) { __typename } }"
    await graphql.data(document, admin, id=made["made"]["id"])

    again = await call(graphql, admin, "createProvider", input)

    assert (again["__typename"], again["message"]) == (
        "ConflictError",
        "What was made under this idempotency key is gone.",
    )
    assert await count(graphql, "llm_providers") == 0


async def test_a_key_is_forgotten_after_a_day(graphql: GraphQL, admin: Principal) -> None:
    input = {"name": "ci", "idempotencyKey": "k-1"}
    first = await call(graphql, admin, "createApiKey", input)
    async with graphql.database.write(None) as session:
        aged = IdempotencyKey.created_at - timedelta(hours=24)
        await session.execute(update(IdempotencyKey).values(created_at=aged))

    second = await call(graphql, admin, "createApiKey", input)

    assert first["made"]["id"] != second["made"]["id"]
    async with graphql.database.read(None) as session:
        assert await session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


async def test_sent_many_times_at_once_it_happens_once(graphql: GraphQL, admin: Principal) -> None:
    input = {"slug": "one", "type": "OPENAI", "idempotencyKey": "k-1"}

    answers = await asyncio.gather(
        *(call(graphql, admin, "createProvider", input) for _ in range(12))
    )

    assert len({answer["made"]["id"] for answer in answers}) == 1
    assert await count(graphql, "llm_providers") == 1
    assert len(graphql.asked_for) == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "line\nbreak"])
async def test_refuses_a_key_that_is_none(graphql: GraphQL, admin: Principal, key: str) -> None:
    refused = await call(graphql, admin, "createApiKey", {"name": "ci", "idempotencyKey": key})

    assert refused["__typename"] == "InvalidInputError"
    assert await count(graphql, "api_keys") == 0


async def test_a_secret_is_the_same_under_a_promoted_master_key(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    old, new = generate_master_key(), generate_master_key()
    given = {"provider": provider, "secret": SECRET, "idempotencyKey": "one"}
    graphql.cipher = SecretBox([old, new])
    first = await call(graphql, admin, "createCredential", given)
    graphql.cipher = SecretBox([new, old])
    again = await call(graphql, admin, "createCredential", given)
    other = await call(graphql, admin, "createCredential", given | {"secret": SECRET + "2"})

    assert again["made"]["id"] == first["made"]["id"]
    assert other["code"] == "CONFLICT"
