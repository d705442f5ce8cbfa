"""Tests of provider keys on demand, and of own keys in the background."""

import pytest

from domain.principal import Principal
from gateway.prober import Prober
from tests.provider.server import FakeProvider
from tests.resolvers.byok import CREATE, LAST_TEST, OTHER, SECRET, TEST, rows, saved, update
from tests.resolvers.conftest import GraphQL, add_provider


@pytest.fixture
async def fake(graphql: GraphQL, admin: Principal, fake_provider: FakeProvider) -> str:
    """A provider `fake` that takes SECRET alone; its id."""
    fake_provider.key = SECRET
    return await add_provider(graphql, admin, "fake", type="OPENAI", baseUrl=fake_provider.base_url)


async def test_switched_off_and_on_again_it_is_tested(
    graphql: GraphQL, user: Principal, provider: str
) -> None:
    id = await saved(graphql, user, provider)
    graphql.asked_for.clear()
    off = await update(graphql, user, id=id, enabled=False)
    quiet = list(graphql.asked_for)
    on = await update(graphql, user, id=id, enabled=True)

    assert off["credential"]["state"] == "DISABLED"
    assert off["credential"]["stateReason"] == "Switched off by its owner."
    assert (on["credential"]["state"], quiet, len(graphql.asked_for)) == ("ACTIVE", [], 1)


async def test_a_test_of_ones_own_key_says_what_came_back(
    graphql: GraphQL, user: Principal, fake: str
) -> None:
    id = await saved(graphql, user, fake)

    tested = (await graphql.data(TEST, user, id=id))["testCredential"]

    assert tested["latencyMs"] >= 0
    assert tested == {
        "__typename": "TestCredentialPayload",
        "credential": {"state": "ACTIVE", "stateReason": None},
        "ok": True,
        "httpStatus": 200,
        "error": None,
        "latencyMs": tested["latencyMs"],
        "modelCount": 3,
    }


async def test_a_refused_key_is_put_away_and_says_nothing_of_the_provider(
    graphql: GraphQL, admin: Principal, user: Principal, fake: str
) -> None:
    id = await saved(graphql, user, fake, secret=OTHER)

    tested = (await graphql.data(TEST, user, id=id))["testCredential"]
    again = (await graphql.data(TEST, user, id=id))["testCredential"]

    assert (tested["ok"], tested["httpStatus"]) == (False, 401)
    assert tested["credential"] == {"state": "DISABLED", "stateReason": tested["error"]}
    assert (again["httpStatus"], again["credential"]["state"]) == (401, "DISABLED")
    assert await graphql.data(LAST_TEST, admin) == {
        "provider": {"lastTest": None, "credentials": {"nodes": []}}
    }


async def test_in_the_background_a_refused_key_is_put_away_as_well(
    graphql: GraphQL, user: Principal, fake: str
) -> None:
    prober = Prober(graphql.database, graphql.configuration, graphql.cipher, graphql.probe)
    await saved(graphql, user, fake)
    await saved(graphql, user, fake, secret=OTHER)
    good, bad = await rows(graphql)
    for row in (good, bad):
        await prober.later(row.provider_id, row.id)

    assert [row.state for row in await rows(graphql)] == ["ACTIVE", "DISABLED"]


async def test_an_administrator_tests_a_system_key(
    graphql: GraphQL, admin: Principal, fake: str
) -> None:
    made = await graphql.data(CREATE, admin, input={"provider": fake, "secret": SECRET})
    id = made["createCredential"]["credential"]["id"]

    tested = (await graphql.data(TEST, admin, id=id))["testCredential"]

    assert tested["ok"] is True
    assert (await graphql.data(LAST_TEST, admin))["provider"]["lastTest"] == {"ok": True}
