"""API keys: made within their creator's rights, shown once, renamed, revoked, listed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from auth.identity import Authenticator
from db.models.apikey import ApiKey, Pepper
from db.models.configuration import ConfigChange
from db.models.user import User
from domain.errors import Unauthenticated
from domain.principal import Principal, Scope
from schema.node import global_id
from tests.resolvers.conftest import GraphQL

ERROR = """
    __typename
    ... on Error { code message }
"""
FIELD = "... on InvalidInputError { field }"
KEY = "name prefix state scopes allowedModels expiresAt revokedAt user { name }"
CREATE = f"""
mutation ($input: CreateApiKeyInput!) {{
  createApiKey(input: $input) {{
    {ERROR} {FIELD}
    ... on CreateApiKeyPayload {{ secret apiKey {{ id organization {{ name }} {KEY} }} }}
  }}
}}
"""
UPDATE = f"""
mutation ($input: UpdateApiKeyInput!) {{
  updateApiKey(input: $input) {{ 
    {ERROR} {FIELD} ... on UpdateApiKeyPayload {{ apiKey {{ name }} }}
  }}
}}
"""
REVOKE = f"""
mutation ($input: RevokeApiKeyInput!) {{
  revokeApiKey(input: $input) {{ {ERROR} ... on RevokeApiKeyPayload {{ apiKey {{ state }} }} }}
}}
"""
LIST = f"""
query ($filter: ApiKeyFilter, $orderBy: ApiKeyOrder, $first: Int, $after: String) {{
  apiKeys(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{
    totalCount nodes {{ {KEY} organization {{ name }} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""


async def create(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(CREATE, caller, input=input))["createApiKey"]


async def listed(graphql: GraphQL, caller: Principal, **variables: Any) -> list[str]:
    data = await graphql.data(LIST, caller, **variables)
    return [node["name"] for node in data["apiKeys"]["nodes"]]


async def stored(graphql: GraphQL) -> list[tuple[str, bool]]:
    """(name, revoked) of everything stored."""
    async with graphql.database.read(None) as session:
        found = await session.execute(select(ApiKey.name, ApiKey.revoked_at).order_by(ApiKey.name))
        return [(row.name, row.revoked_at is not None) for row in found]


async def changes(graphql: GraphQL) -> list[str]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(ConfigChange.kind).order_by(ConfigChange.number)))


async def test_a_new_key_is_shown_once_and_signs_in(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    made = await create(graphql, user, name="app", scopes=["READ"], allowedModels=["fast"])

    secret, key = made["secret"], made["apiKey"]
    assert key.pop("id")
    assert key == {
        "name": "app",
        "prefix": secret[:16],
        "state": "ACTIVE",
        "scopes": ["READ"],
        "allowedModels": ["fast"],
        "expiresAt": None,
        "revokedAt": None,
        "user": {"name": "Uma"},
        "organization": {"name": "Uma"},
    }
    principal = await authenticator.principal({"authorization": f"Bearer {secret}"})
    assert principal is not None
    assert (principal.user_id, principal.scopes) == (user.user_id, frozenset({Scope.READ}))
    assert principal.allowed_models == frozenset({"fast"})
    assert await changes(graphql) == ["apikey"]
    assert secret not in str(await graphql.data(LIST, user))


async def test_a_key_is_for_inference_unless_told_otherwise(
    graphql: GraphQL, user: Principal
) -> None:
    assert (await create(graphql, user, name="app"))["apiKey"]["scopes"] == ["INFERENCE"]


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("name", {"name": " "}),
        ("scopes", {"name": "x", "scopes": []}),
        ("scopes", {"name": "x", "scopes": ["MANAGE", "INFERENCE"]}),
        ("allowedModels", {"name": "x"}),
        ("allowedModels", {"name": "x", "allowedModels": ["fast", "best"]}),
        ("expiresAt", {"name": "x"}),
        ("expiresAt", {"name": "x", "expiresAt": "2099-01-01T00:00:00Z"}),
        ("expiresAt", {"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}),
    ],
)
async def test_a_childs_rights_lie_within_its_creators(
    graphql: GraphQL, user: Principal, field: str, input: dict[str, Any]
) -> None:
    creator = user
    if field == "scopes":
        creator = replace(user, scopes=frozenset({Scope.READ, Scope.MANAGE}))
    elif field == "allowedModels":
        creator = replace(user, allowed_models=frozenset({"fast"}))
    elif field == "expiresAt":
        later = datetime.now(UTC) + timedelta(days=1)
        creator = replace(user, expires_at=later.timestamp(), api_key_id=uuid7())

    result = await create(graphql, creator, **input)

    assert (result["__typename"], result["field"]) == ("InvalidInputError", field)
    assert await stored(graphql) == []
    assert await changes(graphql) == []


async def test_a_revoked_key_is_refused_at_once(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    made = await create(graphql, user, name="app")
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert await authenticator.principal(headers) is not None

    data = await graphql.data(REVOKE, user, input={"id": made["apiKey"]["id"]})

    assert data["revokeApiKey"] == {
        "__typename": "RevokeApiKeyPayload",
        "apiKey": {"state": "REVOKED"},
    }
    with pytest.raises(Unauthenticated):
        await authenticator.principal(headers)
    again = await graphql.data(REVOKE, user, input={"id": made["apiKey"]["id"]})
    assert again["revokeApiKey"] == {
        "__typename": "ConflictError",
        "code": "CONFLICT",
        "message": "This key is revoked already.",
    }
    assert await changes(graphql) == ["apikey", "apikey"]


async def test_a_key_is_renamed(graphql: GraphQL, user: Principal) -> None:
    made = await create(graphql, user, name="app")
    id = made["apiKey"]["id"]

    assert await graphql.data(UPDATE, user, input={"id": id, "name": "site"}) == {
        "updateApiKey": {"__typename": "UpdateApiKeyPayload", "apiKey": {"name": "site"}}
    }
    wrong = await graphql.data(UPDATE, user, input={"id": id, "name": "a\nb"})
    assert wrong["updateApiKey"]["field"] == "name"
    assert await stored(graphql) == [("site", False)]


async def test_people_see_and_change_only_their_own_keys(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    made = await create(graphql, admin, name="theirs")
    await create(graphql, user, name="mine")
    id, theirs = made["apiKey"]["id"], {"user": global_id("User", admin.user_id)}
    node = "query ($id: ID!) { node(id: $id) { id } }"
    missing = {"code": "NOT_FOUND", "message": "There is no such API key."}

    assert await listed(graphql, user) == ["mine"]
    assert await listed(graphql, user, filter={"everybody": True}) == ["mine"]
    assert await listed(graphql, user, filter=theirs) == []
    assert await graphql.data(node, user, id=id) == {"node": None}
    assert await graphql.data(UPDATE, user, input={"id": id, "name": "x"}) == {
        "updateApiKey": {"__typename": "NotFoundError", **missing}
    }
    assert await graphql.data(REVOKE, user, input={"id": id}) == {
        "revokeApiKey": {"__typename": "NotFoundError", **missing}
    }
    assert await stored(graphql) == [("mine", False), ("theirs", False)]


async def test_administrators_see_and_revoke_everybodys(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    made = await create(graphql, user, name="theirs")
    await create(graphql, admin, name="mine")

    assert await listed(graphql, admin) == ["mine"]
    assert await listed(graphql, admin, filter={"everybody": True}) == ["mine", "theirs"]
    theirs = {"user": global_id("User", user.user_id)}
    assert await listed(graphql, admin, filter=theirs) == ["theirs"]
    data = await graphql.data(REVOKE, admin, input={"id": made["apiKey"]["id"]})
    assert data["revokeApiKey"]["apiKey"] == {"state": "REVOKED"}


async def test_keys_are_found_by_state_and_name_in_either_order(
    graphql: GraphQL, user: Principal
) -> None:
    await create(graphql, user, name="b active")
    revoked = await create(graphql, user, name="a revoked")
    await graphql.data(REVOKE, user, input={"id": revoked["apiKey"]["id"]})
    expired = await create(graphql, user, name="c expired")
    async with graphql.database.write(None) as session:
        row = await session.scalar(select(ApiKey).where(ApiKey.name == "c expired"))
        assert row is not None
        row.expires_at = datetime.now(UTC) - timedelta(seconds=1)

    assert expired["apiKey"]["state"] == "ACTIVE"
    for state, name in (("ACTIVE", "b active"), ("REVOKED", "a revoked"), ("EXPIRED", "c expired")):
        data = await graphql.data(LIST, user, filter={"states": [state]})
        assert [(n["name"], n["state"]) for n in data["apiKeys"]["nodes"]] == [(name, state)]
    assert await listed(graphql, user, filter={"search": "RED"}) == ["c expired"]
    assert await listed(graphql, user) == ["c expired", "a revoked", "b active"]
    by_name = {"field": "NAME"}
    assert await listed(graphql, user, orderBy=by_name) == ["a revoked", "b active", "c expired"]


async def test_the_number_of_statements_does_not_grow_with_the_page(
    graphql: GraphQL, admin: Principal
) -> None:
    counts = []
    for size in (1, 99):
        async with graphql.database.write(None) as session:
            pepper = Pepper(ciphertext=b"x", master_key_id="x")
            people = [
                User(id=uuid7(), issuer="x", subject=str(uuid7()), name="x", role="USER")
                for _ in range(size)
            ]
            session.add_all([pepper, *people])
            await session.flush()
            await session.execute(
                insert(ApiKey),
                [
                    {
                        "id": uuid7(),
                        "public_id": str(one.id),
                        "hash": b"x",
                        "pepper_id": pepper.id,
                        "name": "x",
                        "user_id": one.id,
                        "scopes": [],
                    }
                    for one in people
                ],
            )
        with graphql.statements() as sent:
            found = await listed(graphql, admin, first=100, filter={"everybody": True})
        counts.append((len(found), len(sent)))

    assert counts == [(1, counts[0][1]), (100, counts[0][1])]


async def test_strangers_and_keys_without_the_scope_make_no_keys(
    graphql: GraphQL, user: Principal
) -> None:
    reader = replace(user, scopes=frozenset({Scope.READ}))

    assert await graphql.codes(CREATE, None, input={"name": "x"}) == ["UNAUTHENTICATED"]
    assert await graphql.codes(CREATE, reader, input={"name": "x"}) == ["FORBIDDEN"]
    assert await graphql.codes(LIST, None) == ["UNAUTHENTICATED"]
    assert await stored(graphql) == []
