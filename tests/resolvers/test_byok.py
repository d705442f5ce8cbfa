"""Own provider keys: whose they are, and who sees and changes them."""

from dataclasses import replace
from typing import Any

import pytest

from auth.secrets import SecretBox
from db.session import Database
from domain.destination import credential_place
from domain.ports import Sealed
from domain.principal import MemberRole, Principal, Role
from schema.node import global_id
from tests.resolvers.byok import (
    ADMINS,
    CREATE,
    DELETE,
    MINE,
    NODE,
    OURS,
    SECRET,
    TEST,
    THEIRS,
    rows,
    save,
    saved,
    update,
)
from tests.resolvers.conftest import GraphQL, add_provider, make_principal


@pytest.fixture
def governor(user: Principal) -> Principal:
    """Another administrator of uma's organisation."""
    return replace(user, organization_role=MemberRole.ADMIN)


@pytest.fixture
async def stranger(database: Database) -> Principal:
    """Governs an organisation of their own."""
    made = await make_principal(database, Role.USER, "eve")
    return replace(made, organization_role=MemberRole.ADMIN)


async def test_a_person_stores_a_key_of_their_own_sealed_and_sees_a_mask(
    graphql: GraphQL, user: Principal, cipher: SecretBox, provider: str
) -> None:
    graphql.asked_for.clear()
    made = await save(graphql, user, provider, name="mine")

    [row] = await rows(graphql)
    credential = made["credential"]
    assert SECRET not in str(made)
    assert credential == {
        "id": credential["id"],
        "name": "mine",
        "owner": "USER",
        "mask": "sk-…wxyz",
        "policy": "ONLY_MINE",
        "state": "ACTIVE",
        "stateReason": None,
        "version": 1,
        "provider": {"slug": "openai"},
    }
    assert (row.owner_kind, row.owner_id) == ("USER", user.user_id)
    place = credential_place(row.id, 1, "https://api.openai.com")
    assert cipher.open(Sealed(row.ciphertext, row.master_key_id), place).reveal() == SECRET
    assert graphql.asked_for == [(row.provider_id, row.id)]


async def test_the_data_plane_knows_owner_and_policy_at_once(
    graphql: GraphQL, user: Principal, provider: str
) -> None:
    id = await saved(graphql, user, provider, policy="MINE_THEN_SYSTEM")
    before = _known(graphql)
    await update(graphql, user, id=id, policy="SYSTEM_THEN_MINE")

    assert before == [("USER", user.user_id, "MINE_THEN_SYSTEM")]
    assert _known(graphql) == [("USER", user.user_id, "SYSTEM_THEN_MINE")]


def _known(graphql: GraphQL) -> list[Any]:
    found = graphql.configuration.snapshot.credentials.values()
    return [(key.owner_kind, key.owner_id, key.policy) for keys in found for key in keys]


async def test_nobody_else_sees_changes_deletes_or_tests_it(
    graphql: GraphQL, user: Principal, stranger: Principal, governor: Principal, provider: str
) -> None:
    id = await saved(graphql, user, provider)
    colleague = replace(governor, user_id=stranger.user_id)

    for other in (stranger, colleague):
        assert (await graphql.data(NODE, other, id=id))["node"] is None
        assert (await graphql.data(MINE, other))["viewer"]["byokKeys"]["nodes"] == []
        assert (await update(graphql, other, id=id, name="theirs"))["__typename"] == "NotFoundError"
        assert (await graphql.data(DELETE, other, id=id))["deleteByokKey"] == {
            "__typename": "NotFoundError"
        }
        tested = (await graphql.data(TEST, other, id=id))["testCredential"]
        assert tested["__typename"] == "NotFoundError"
        foreign = global_id("User", user.user_id)
        person = (await graphql.data(THEIRS, other, id=foreign))["user"]
        # Who governs their organisation sees the person, but none of their keys.
        assert person is None or person["byokKeys"]["nodes"] == []
    [row] = await rows(graphql)
    assert (row.name, row.version) == ("default", 1)


async def test_an_administrator_sees_a_persons_keys_masked_and_uses_none(
    graphql: GraphQL, admin: Principal, user: Principal, provider: str
) -> None:
    id = await saved(graphql, user, provider)
    person = global_id("User", user.user_id)

    assert await graphql.data(THEIRS, admin, id=person) == {
        "user": {"byokKeys": {"nodes": [{"name": "default", "mask": "sk-…wxyz"}]}}
    }
    assert await graphql.data(THEIRS, admin, id="bm9wZQ==") == {"user": None}
    assert (await update(graphql, admin, id=id, name="x"))["__typename"] == "NotFoundError"
    assert await graphql.data(ADMINS, admin, id=id) == {
        "updateCredential": {"__typename": "NotFoundError"},
        "deleteCredential": {"__typename": "NotFoundError"},
    }
    tested = (await graphql.data(TEST, admin, id=id))["testCredential"]
    assert tested["__typename"] == "NotFoundError"
    assert len(await rows(graphql)) == 1


async def test_a_system_key_is_no_own_key(
    graphql: GraphQL, admin: Principal, user: Principal, provider: str
) -> None:
    made = await graphql.data(CREATE, admin, input={"provider": provider, "secret": SECRET})
    credential = made["createCredential"]["credential"]

    assert credential["policy"] is None
    for caller in (admin, user):
        refused = await update(graphql, caller, id=credential["id"], policy="ONLY_MINE")
        assert refused["__typename"] == "NotFoundError"
        assert (await graphql.data(MINE, caller))["viewer"]["byokKeys"]["totalCount"] == 0
    tested = (await graphql.data(TEST, user, id=credential["id"]))["testCredential"]
    assert tested["__typename"] == "NotFoundError"


async def test_an_organisations_key_is_its_administrators_matter(
    graphql: GraphQL, user: Principal, governor: Principal, stranger: Principal, provider: str
) -> None:
    organization = global_id("Organization", user.organization_id or user.user_id)
    refused = [
        (await save(graphql, caller, provider, organization=organization))["__typename"]
        for caller in (user, stranger)
    ]
    before = await rows(graphql)
    made = await save(graphql, governor, provider, organization=organization)
    id = made["credential"]["id"]

    [row] = await rows(graphql)
    assert (refused, before) == (["NotFoundError", "NotFoundError"], [])
    assert made["credential"]["owner"] == "ORGANIZATION"
    assert (row.owner_kind, row.owner_id) == ("ORGANIZATION", user.organization_id)
    assert (await graphql.data(OURS, governor))["viewer"]["organization"] == {
        "byokKeys": {"nodes": [{"id": id}]}
    }
    assert (await graphql.data(MINE, governor))["viewer"]["byokKeys"]["nodes"] == []
    assert await graphql.codes(OURS, user) == ["FORBIDDEN"]
    for other in (user, stranger):
        assert (await graphql.data(NODE, other, id=id))["node"] is None
        assert (await update(graphql, other, id=id, name="x"))["__typename"] == "NotFoundError"
    changed = await update(graphql, governor, id=id, name="ours")
    assert changed["credential"]["name"] == "ours"


async def test_lists_own_keys_and_deletes_one(
    graphql: GraphQL, user: Principal, provider: str
) -> None:
    one = await saved(graphql, user, provider, name="one")
    two = await saved(graphql, user, provider, name="two")
    shown = (await graphql.data(MINE, user))["viewer"]
    gone = (await graphql.data(DELETE, user, id=one))["deleteByokKey"]["__typename"]
    again = (await graphql.data(DELETE, user, id=one))["deleteByokKey"]["__typename"]

    assert shown == {
        "byokKeys": {
            "nodes": [{"id": one, "name": "one"}, {"id": two, "name": "two"}],
            "totalCount": 2,
        },
        "user": {"byokKeys": {"nodes": [{"id": one}, {"id": two}]}},
    }
    assert (gone, again) == ("DeleteByokKeyPayload", "NotFoundError")
    assert [row.name for row in await rows(graphql)] == ["two"]


@pytest.mark.parametrize(
    ("field", "input"), [("secret", {"secret": "two words"}), ("name", {"name": ""})]
)
async def test_refuses_bad_values(
    graphql: GraphQL, user: Principal, provider: str, field: str, input: dict[str, Any]
) -> None:
    refused = await save(graphql, user, provider, **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert await rows(graphql) == []


async def test_ten_keys_at_a_provider_are_enough(
    graphql: GraphQL, user: Principal, stranger: Principal, provider: str
) -> None:
    for n in range(10):
        await saved(graphql, user, provider, name=f"key {n}")
    refused = await save(graphql, user, provider)

    assert refused["__typename"] == "ConflictError"
    assert refused["message"] == "There are 10 keys at `openai` already: delete one first."
    assert len(await rows(graphql)) == 10
    await saved(graphql, stranger, provider)


async def test_a_provider_that_is_switched_off_is_not_there_for_a_person(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    hidden = await add_provider(graphql, admin, "hidden", enabled=False)

    refused = await save(graphql, user, hidden)

    assert (refused["__typename"], await rows(graphql)) == ("NotFoundError", [])


async def test_sent_twice_with_one_key_it_is_stored_once(
    graphql: GraphQL, user: Principal, stranger: Principal, provider: str
) -> None:
    first = await save(graphql, user, provider, idempotencyKey="once")
    again = await save(graphql, user, provider, idempotencyKey="once")
    theirs = await save(graphql, stranger, provider, idempotencyKey="once")

    assert again == first
    assert theirs["credential"]["id"] != first["credential"]["id"]
    assert len(await rows(graphql)) == 2
