"""A rotated key is the same key under another text; the one before ends when told."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from auth.identity import Authenticator
from auth.secrets import SecretBox
from db.models.apikey import ApiKey
from db.session import Database
from domain.errors import Unauthenticated
from domain.principal import Principal
from tests.resolvers.apikeys import ask, signed_in
from tests.resolvers.conftest import GraphQL
from tests.resolvers.people import Town, build_town


@pytest.fixture
async def town(graphql: GraphQL) -> Town:
    return await build_town(graphql)


async def test_a_rotated_key_is_the_same_key_under_another_text(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app", scopes=["READ"])
    before = await signed_in(authenticator, made["secret"])

    rotated = await ask(graphql, user, "rotateApiKey", id=made["apiKey"]["id"])

    assert rotated["secret"] != made["secret"]
    assert rotated["apiKey"]["prefix"] == made["apiKey"]["prefix"] == rotated["secret"][:16]
    until = datetime.fromisoformat(rotated["apiKey"].pop("previousUntil"))
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    assert {**rotated["apiKey"], "previousUntil": None} == made["apiKey"]
    for secret in (made["secret"], rotated["secret"]):
        assert await signed_in(authenticator, secret) == before


async def test_without_overlap_the_text_before_ends_now_and_so_does_its_browser(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app", scopes=["READ"])
    cookie, _ = await authenticator.open_session(made["secret"])

    rotated = await ask(graphql, user, "rotateApiKey", id=made["apiKey"]["id"], overlapSeconds=0)

    assert rotated["apiKey"]["previousUntil"] is None
    assert await signed_in(authenticator, rotated["secret"])
    for headers in (
        {"authorization": f"Bearer {made['secret']}"},
        {"cookie": f"fairlead_session={cookie}"},
    ):
        with pytest.raises(Unauthenticated):
            await authenticator.principal(headers)
    new_cookie, _ = await authenticator.open_session(rotated["secret"])
    assert await authenticator.principal({"cookie": f"fairlead_session={new_cookie}"})


async def test_the_text_before_ends_with_its_overlap(
    graphql: GraphQL, database: Database, cipher: SecretBox, user: Principal
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app")
    await ask(graphql, user, "rotateApiKey", id=made["apiKey"]["id"], overlapSeconds=60)
    later = datetime.now(UTC).timestamp() + 61
    clock = {"now": later - 2}
    authenticator = Authenticator(database, cipher, lambda: clock["now"])

    assert await signed_in(authenticator, made["secret"])
    clock["now"] = later
    with pytest.raises(Unauthenticated):
        await signed_in(authenticator, made["secret"])


async def test_a_second_rotation_ends_the_first_text(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app")
    id = made["apiKey"]["id"]
    second = await ask(graphql, user, "rotateApiKey", id=id)
    third = await ask(graphql, user, "rotateApiKey", id=id)

    for secret in (second["secret"], third["secret"]):
        assert await signed_in(authenticator, secret)
    with pytest.raises(Unauthenticated):
        await signed_in(authenticator, made["secret"])


async def test_a_rotation_sent_twice_happens_once_and_shows_nothing_again(
    graphql: GraphQL, user: Principal, authenticator: Authenticator
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app")
    input = {"id": made["apiKey"]["id"], "idempotencyKey": "r-1"}

    first = await ask(graphql, user, "rotateApiKey", **input)
    again = await ask(graphql, user, "rotateApiKey", **input)

    assert (again["secret"], again["apiKey"]) == (None, first["apiKey"])
    assert await signed_in(authenticator, first["secret"])


@pytest.mark.parametrize("overlap", [-1, 30 * 24 * 3600 + 1])
async def test_an_overlap_has_bounds(graphql: GraphQL, user: Principal, overlap: int) -> None:
    made = await ask(graphql, user, "createApiKey", name="app")

    refused = await ask(
        graphql, user, "rotateApiKey", id=made["apiKey"]["id"], overlapSeconds=overlap
    )

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", "overlapSeconds")


async def test_dead_keys_and_others_keys_are_not_rotated(
    graphql: GraphQL, user: Principal, town: Town
) -> None:
    made = await ask(graphql, user, "createApiKey", name="app")
    id = made["apiKey"]["id"]

    assert (await ask(graphql, town.boss, "rotateApiKey", id=id))["code"] == "NOT_FOUND"
    async with graphql.database.write(None) as session:
        await session.execute(update(ApiKey).values(expires_at=datetime.now(UTC)))
    assert (await ask(graphql, user, "rotateApiKey", id=id))["code"] == "CONFLICT"
    await ask(graphql, user, "revokeApiKey", id=id)
    assert (await ask(graphql, user, "rotateApiKey", id=id))["code"] == "CONFLICT"


async def test_nobody_rotates_themselves_into_a_stronger_key(
    graphql: GraphQL, user: Principal, town: Town, authenticator: Authenticator
) -> None:
    strong = await ask(
        graphql, user, "createApiKey", name="strong", scopes=["READ", "MANAGE", "INFERENCE"]
    )
    weak = await ask(graphql, user, "createApiKey", name="weak", scopes=["MANAGE"])
    caller = await signed_in(authenticator, weak["secret"])

    refused = await ask(graphql, caller, "rotateApiKey", id=strong["apiKey"]["id"])

    assert (refused["__typename"], refused["code"]) == ("ConflictError", "CONFLICT")
    assert await signed_in(authenticator, strong["secret"])
    itself = await ask(graphql, caller, "rotateApiKey", id=weak["apiKey"]["id"])
    assert itself["__typename"] == "RotateApiKeyPayload"
