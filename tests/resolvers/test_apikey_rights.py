"""What a key may do: narrowed, issued to others, for an organisation; never beyond."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from auth.identity import Authenticator
from domain.errors import Unauthenticated
from domain.principal import Principal, Scope
from tests.resolvers.apikeys import ask, signed_in
from tests.resolvers.conftest import GraphQL
from tests.resolvers.people import Town, build_town, do, join, organization, person
from tests.resolvers.test_apikey import listed


@pytest.fixture
async def town(graphql: GraphQL) -> Town:
    return await build_town(graphql)


async def test_what_bounds_a_key_later_bounds_those_made_with_it(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    every = ["INFERENCE", "MANAGE", "READ"]
    first = await ask(graphql, user, "createApiKey", name="first", scopes=every)
    by_first = await signed_in(authenticator, first["secret"])
    second = await ask(graphql, by_first, "createApiKey", name="second", scopes=every)
    by_second = await signed_in(authenticator, second["secret"])
    third = await ask(graphql, by_second, "createApiKey", name="third", scopes=every)
    assert (await signed_in(authenticator, third["secret"])).scopes == frozenset(Scope)

    soon = datetime.now(UTC) + timedelta(hours=1)
    changed = await ask(
        graphql,
        user,
        "updateApiKey",
        id=first["apiKey"]["id"],
        scopes=["MANAGE", "READ"],
        allowedModels=["fast"],
        expiresAt=soon.isoformat(),
    )

    assert changed["apiKey"]["scopes"] == ["MANAGE", "READ"]
    now = await signed_in(authenticator, third["secret"])
    assert now.scopes == frozenset({Scope.MANAGE, Scope.READ})
    assert now.allowed_models == frozenset({"fast"})
    assert now.expires_at == pytest.approx(soon.timestamp())


@pytest.mark.parametrize(
    ("field", "patch"),
    [
        ("scopes", {"scopes": ["MANAGE", "INFERENCE"]}),
        ("scopes", {"scopes": []}),
        ("allowedModels", {"allowedModels": ["best"]}),
        ("allowedModels", {"allowedModels": None}),
        ("expiresAt", {"expiresAt": None}),
        ("expiresAt", {"expiresAt": "2020-01-01T00:00:00Z"}),
        ("name", {"name": ""}),
    ],
)
async def test_nobody_widens_a_key_beyond_their_own_rights(
    graphql: GraphQL, user: Principal, field: str, patch: dict[str, Any]
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app", scopes=["MANAGE"])
    narrow = {"MANAGE", "READ"}
    caller = replace(
        user,
        scopes=frozenset(Scope(name) for name in narrow),
        api_key_id=uuid7(),
        allowed_models=frozenset({"fast"}) if field == "allowedModels" else None,
        expires_at=(datetime.now(UTC) + timedelta(days=1)).timestamp()
        if field == "expiresAt"
        else None,
    )

    refused = await ask(graphql, caller, "updateApiKey", id=made["apiKey"]["id"], **patch)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)


async def test_a_key_for_an_organization_ends_with_the_membership(
    graphql: GraphQL, admin: Principal, town: Town, authenticator: Authenticator
) -> None:
    made = await ask(graphql, town.worker, "createApiKey", name="app", scopes=["READ"])
    assert made["apiKey"]["organization"] == {"slug": "bea"}
    principal = await signed_in(authenticator, made["secret"])
    assert principal.organization_id == town.boss.organization_id

    await do(graphql, town.boss, "removeMember", organization=town.place, user=person(town.worker))

    with pytest.raises(Unauthenticated):
        await signed_in(authenticator, made["secret"])


async def test_one_chooses_among_ones_organizations_but_not_with_a_key(
    graphql: GraphQL, town: Town, authenticator: Authenticator
) -> None:
    there = organization(town.other.organization_id)
    refused = await ask(graphql, town.boss, "createApiKey", name="x", organization=there)
    assert refused["code"] == "NOT_FOUND"
    await join(graphql, town.boss, town.other.organization_id, "MEMBER")

    made = await ask(graphql, town.boss, "createApiKey", name="x", organization=there)
    assert made["apiKey"]["organization"] == {"slug": "otto"}
    key = await ask(graphql, town.boss, "createApiKey", name="k", scopes=["MANAGE", "INFERENCE"])
    by_key = await signed_in(authenticator, key["secret"])
    refused = await ask(graphql, by_key, "createApiKey", name="y", organization=there)
    assert refused["code"] == "NOT_FOUND"


async def test_administrators_issue_keys_to_people_made_by_hand(
    graphql: GraphQL, admin: Principal, town: Town, authenticator: Authenticator
) -> None:
    robot = (await do(graphql, admin, "createUser", name="Robot"))["user"]["id"]
    input = {"user": robot, "name": "nightly", "organization": town.place}

    refused = await ask(graphql, admin, "issueApiKey", **input)
    assert refused["code"] == "NOT_FOUND"
    await do(graphql, admin, "addMember", organization=town.place, user=robot)
    made = await ask(graphql, admin, "issueApiKey", **input)

    assert made["apiKey"]["user"] == {"name": "Robot"}
    principal = await signed_in(authenticator, made["secret"])
    assert (principal.role, principal.organization_id) == ("USER", town.boss.organization_id)
    await do(graphql, admin, "updateUser", id=robot, enabled=False)
    with pytest.raises(Unauthenticated):
        await signed_in(authenticator, made["secret"])


async def test_an_organizations_administrator_lists_and_revokes_its_keys(
    graphql: GraphQL, admin: Principal, town: Town, authenticator: Authenticator
) -> None:
    made = await ask(graphql, town.worker, "createApiKey", name="worker's")
    await ask(graphql, town.other, "createApiKey", name="other's")
    here = {"organization": town.place}
    there = {"organization": organization(town.other.organization_id)}

    assert await listed(graphql, town.boss, filter=here) == ["worker's"]
    assert await listed(graphql, town.boss, filter=there) == []
    assert await listed(graphql, town.boss, filter={"user": person(town.worker)}) == []
    both = {**here, "user": person(town.worker)}
    assert await listed(graphql, town.boss, filter=both) == ["worker's"]
    assert await listed(graphql, admin, filter=there) == ["other's"]
    assert await listed(graphql, town.worker, filter=here) == ["worker's"]
    assert await listed(graphql, town.other, filter=here) == []

    id = made["apiKey"]["id"]
    assert (await ask(graphql, town.other, "revokeApiKey", id=id))["code"] == "NOT_FOUND"
    assert (await ask(graphql, town.boss, "rotateApiKey", id=id))["code"] == "NOT_FOUND"
    revoked = await ask(graphql, town.boss, "revokeApiKey", id=id)
    assert revoked["apiKey"]["state"] == "REVOKED"
    with pytest.raises(Unauthenticated):
        await signed_in(authenticator, made["secret"])


async def test_a_tokens_end_does_not_bound_the_keys_of_its_person(
    graphql: GraphQL, user: Principal
) -> None:
    by_token = replace(user, expires_at=(datetime.now(UTC) + timedelta(minutes=5)).timestamp())

    made = await ask(graphql, by_token, "createApiKey", name="app")

    assert (made["__typename"], made["apiKey"]["expiresAt"]) == ("CreateApiKeyPayload", None)
