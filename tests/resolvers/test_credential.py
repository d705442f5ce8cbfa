"""Provider keys: sealed for one row and destination, shown only masked, given anew, deleted."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from auth.secrets import SecretBox
from db.models.configuration import ConfigChange
from db.models.credential import Credential
from domain.destination import credential_place
from domain.ports import Sealed
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL

SECRET = "sk-canary-0123456789-wxyz"
SHOWN = "id name owner mask fingerprint weight state stateReason version provider { slug }"
ERROR = "__typename ... on Error { code message }"
FIELD = "... on InvalidInputError { field }"
CREATE = f"""
mutation ($input: CreateCredentialInput!) {{
  createCredential(input: $input) {{
    {ERROR} {FIELD} ... on CreateCredentialPayload {{ credential {{ {SHOWN} }} }}
  }}
}}
"""
MOVE = """
mutation ($input: UpdateProviderInput!) { updateProvider(input: $input) { __typename } }
"""
UPDATE = f"""
mutation ($input: UpdateCredentialInput!) {{
  updateCredential(input: $input) {{
    {ERROR} {FIELD} ... on UpdateCredentialPayload {{ credential {{ {SHOWN} }} }}
  }}
}}
"""
DELETE = f"""
mutation ($input: DeleteCredentialInput!) {{
  deleteCredential(input: $input) {{ {ERROR} ... on DeleteCredentialPayload {{ deletedId }} }}
}}
"""


async def rows(graphql: GraphQL) -> list[Credential]:
    async with graphql.database.read(None) as session:
        return list(await session.scalars(select(Credential)))


async def create(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(CREATE, caller, input=input))["createCredential"]


async def update(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(UPDATE, caller, input=input))["updateCredential"]


def opened(cipher: SecretBox, row: Credential, destination: str) -> str:
    place = credential_place(row.id, row.version, destination)
    return cipher.open(Sealed(row.ciphertext, row.master_key_id), place).reveal()


async def test_stores_a_key_sealed_for_its_destination_and_shows_a_mask(
    graphql: GraphQL, admin: Principal, cipher: SecretBox, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET, weight=3)

    [row] = await rows(graphql)
    credential = made["credential"]
    assert SECRET not in str(made)
    assert credential == {
        "id": credential["id"],
        "name": "default",
        "owner": "SYSTEM",
        "mask": "sk-…wxyz",
        "fingerprint": row.fingerprint,
        "weight": 3,
        "state": "ACTIVE",
        "stateReason": None,
        "version": 1,
        "provider": {"slug": "openai"},
    }
    assert SECRET.encode() not in row.ciphertext
    assert opened(cipher, row, "https://api.openai.com") == SECRET
    with pytest.raises(ValueError, match="does not belong here"):
        opened(cipher, row, "https://evil.example")


@pytest.mark.parametrize(
    ("field", "input"),
    [
        ("secret", {"secret": ""}),
        ("secret", {"secret": "two words"}),
        ("secret", {"secret": "line\nbreak"}),
        ("secret", {"secret": "schlüssel"}),
        ("weight", {"secret": SECRET, "weight": 0}),
        ("name", {"secret": SECRET, "name": ""}),
    ],
)
async def test_refuses_bad_values_without_repeating_the_secret(
    graphql: GraphQL, admin: Principal, provider: str, field: str, input: dict[str, Any]
) -> None:
    refused = await create(graphql, admin, provider=provider, **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert not input["secret"] or input["secret"] not in refused["message"]
    assert await rows(graphql) == []


async def test_a_provider_that_is_not_there_takes_no_key(
    graphql: GraphQL, admin: Principal
) -> None:
    refused = await create(graphql, admin, provider="bm9wZQ==", secret=SECRET)

    assert refused["__typename"] == "NotFoundError"
    assert await rows(graphql) == []


async def test_a_new_secret_counts_the_version_up(
    graphql: GraphQL, admin: Principal, cipher: SecretBox, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET)
    [before] = await rows(graphql)
    id = made["credential"]["id"]

    changed = await update(graphql, admin, id=id, expectedVersion=1, secret=SECRET + "2")
    late = await update(graphql, admin, id=id, expectedVersion=1, secret=SECRET + "3")

    [row] = await rows(graphql)
    assert (changed["credential"]["version"], row.version) == (2, 2)
    assert late["__typename"] == "ConflictError"
    assert row.fingerprint != before.fingerprint
    assert opened(cipher, row, "https://api.openai.com") == SECRET + "2"


async def test_switching_off_says_so_and_keeps_the_secret(
    graphql: GraphQL, admin: Principal, cipher: SecretBox, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET)

    off = await update(graphql, admin, id=made["credential"]["id"], enabled=False)

    [row] = await rows(graphql)
    assert (off["credential"]["state"], off["credential"]["version"]) == ("DISABLED", 1)
    assert off["credential"]["stateReason"] == "Switched off by an administrator."
    assert opened(cipher, row, "https://api.openai.com") == SECRET


async def test_a_key_left_behind_comes_back_only_with_its_secret(
    graphql: GraphQL, admin: Principal, cipher: SecretBox, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET)
    id = made["credential"]["id"]
    await graphql.data(MOVE, admin, input={"id": provider, "baseUrl": "https://new.example/v1"})

    refused = await update(graphql, admin, id=id, enabled=True)
    [left] = await rows(graphql)
    back = await update(graphql, admin, id=id, secret=SECRET)

    [row] = await rows(graphql)
    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", "secret")
    assert left.state == "NEEDS_KEY"
    assert back["credential"]["state"] == "ACTIVE"
    assert opened(cipher, row, "https://new.example") == SECRET


async def test_a_provider_that_moves_while_its_keys_are_given_anew_does_not_block(
    graphql: GraphQL, admin: Principal, cipher: SecretBox, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET)
    id = made["credential"]["id"]

    async def moved(n: int) -> str:
        input = {"id": provider, "baseUrl": f"https://host{n}.example"}
        data = await graphql.data(MOVE, admin, input=input)
        return str(data["updateProvider"]["__typename"])

    async def given(n: int) -> str:
        return str((await update(graphql, admin, id=id, secret=f"{SECRET}{n}"))["__typename"])

    answers = await asyncio.gather(*(each(n) for n in range(5) for each in (moved, given)))

    [row] = await rows(graphql)
    assert set(answers) == {"UpdateProviderPayload", "UpdateCredentialPayload"}
    assert (row.version, row.state in ("ACTIVE", "NEEDS_KEY")) == (6, True)
    assert opened(cipher, row, row.destination).startswith(SECRET)


async def test_deletes_a_key(graphql: GraphQL, admin: Principal, provider: str) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET)
    input = {"id": made["credential"]["id"]}

    gone = await graphql.data(DELETE, admin, input=input)
    again = await graphql.data(DELETE, admin, input=input)

    assert gone["deleteCredential"] == {
        "__typename": "DeleteCredentialPayload",
        "deletedId": input["id"],
    }
    assert again["deleteCredential"]["__typename"] == "NotFoundError"
    assert await rows(graphql) == []
    async with graphql.database.read(None) as session:
        kinds = list(await session.scalars(select(ConfigChange.kind)))
    assert sorted(kinds) == ["credential", "credential", "provider"]


async def test_a_user_neither_makes_nor_changes_nor_finds_a_system_key(
    graphql: GraphQL, admin: Principal, user: Principal, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, secret=SECRET)
    id = made["credential"]["id"]

    assert await graphql.codes(CREATE, user, input={"provider": provider, "secret": SECRET}) == [
        "FORBIDDEN"
    ]
    assert await graphql.codes(UPDATE, user, input={"id": id, "weight": 2}) == ["FORBIDDEN"]
    assert await graphql.codes(DELETE, user, input={"id": id}) == ["FORBIDDEN"]
    assert await graphql.data("query ($id: ID!) { node(id: $id) { id } }", user, id=id) == {
        "node": None
    }
    [row] = await rows(graphql)
    assert (row.weight, row.version) == (1, 1)
