"""Tests that follow a new key by themselves, and keys that a provider refuses."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from db.models.audit import AuditEntry
from db.models.configuration import ConfigChange
from domain.ports import ProbeResult
from domain.principal import Principal
from gateway.prober import Prober
from schema.node import key_of
from tests.provider.server import FakeProvider
from tests.resolvers.conftest import GraphQL, add_provider

SECRET = "sk-canary-0123456789-wxyz"
OTHER = "sk-another-0123456789-abcd"
CREATE_KEY = """
mutation ($input: CreateCredentialInput!) {
  createCredential(input: $input) { ... on CreateCredentialPayload { credential { id } } }
}
"""
UPDATE_KEY = """
mutation ($input: UpdateCredentialInput!) { updateCredential(input: $input) { __typename } }
"""
CREATE_MODEL = """
mutation ($input: CreateModelInput!) { createModel(input: $input) { __typename } }
"""
TEST = "mutation ($id: ID!) { testProvider(input: {id: $id}) { __typename } }"
SHOWN = """
{ provider(slug: "fake") {
    lastTest { ok httpStatus error at latencyMs }
    credentials { nodes { state stateReason weight } }
} }
"""


class Background:
    """The server's own prober, and a way to wait for what it was asked for."""

    def __init__(self, prober: Prober) -> None:
        self.prober = prober
        self.tasks: list[asyncio.Task[None]] = []

    def later(self, *asked: Any) -> None:
        self.tasks.append(self.prober.later(*asked))

    def confirm(self, *asked: Any) -> None:
        self.tasks.append(self.prober.confirm(*asked))

    async def done(self) -> None:
        await asyncio.gather(*self.tasks)


@pytest.fixture
async def background(graphql: GraphQL) -> AsyncIterator[Background]:
    prober = Prober(graphql.database, graphql.configuration, graphql.cipher, graphql.probe)
    background = Background(prober)
    graphql.probe_later = background.later
    yield background
    await prober.stop()


@pytest.fixture
async def fake(
    graphql: GraphQL, admin: Principal, fake_provider: FakeProvider, background: Background
) -> str:
    """A provider `fake` that takes SECRET alone; its id."""
    fake_provider.key = SECRET
    return await add_provider(graphql, admin, "fake", type="OPENAI", baseUrl=fake_provider.base_url)


async def add_key(graphql: GraphQL, caller: Principal, provider: str, **input: Any) -> str:
    made = await graphql.data(CREATE_KEY, caller, input={"provider": provider, **input})
    id: str = made["createCredential"]["credential"]["id"]
    return id


async def actions(graphql: GraphQL) -> list[tuple[str, str, bool]]:
    """(action, object, by the system) of every entry."""
    async with graphql.database.read(None) as session:
        found = await session.scalars(select(AuditEntry).order_by(AuditEntry.number))
        return [(each.action, each.object_type, each.user_id is None) for each in found]


async def test_a_new_key_is_tested_in_the_background(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    before = await graphql.data(SHOWN, admin)
    await add_key(graphql, admin, fake, secret=SECRET)
    await background.done()

    shown = (await graphql.data(SHOWN, admin))["provider"]
    last = shown["lastTest"]
    assert before["provider"]["lastTest"] is None
    assert (last["ok"], last["httpStatus"], last["error"]) == (True, 200, None)
    assert last["at"]
    assert last["latencyMs"] >= 0
    assert shown["credentials"]["nodes"][0]["state"] == "ACTIVE"
    assert [each[0] for each in await actions(graphql)] == ["CREATE", "CREATE"]


async def test_a_provider_without_a_key_is_tested_only_where_it_needs_none(
    graphql: GraphQL,
    admin: Principal,
    fake: str,
    fake_provider: FakeProvider,
    background: Background,
) -> None:
    await background.done()
    unasked = list(fake_provider.log)
    await add_provider(graphql, admin, "own", type="CUSTOM", baseUrl=fake_provider.base_url)
    await background.done()

    assert unasked == []
    assert len(fake_provider.log) == 1


async def test_a_refused_key_is_put_away_with_the_providers_words_and_not_routed_to(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    await add_key(graphql, admin, fake, secret=OTHER)
    used = [each.state for each in _credentials(graphql)]
    await background.done()

    shown = (await graphql.data(SHOWN, admin))["provider"]
    [key] = shown["credentials"]["nodes"]
    assert used == ["ACTIVE"]
    assert (shown["lastTest"]["ok"], shown["lastTest"]["httpStatus"]) == (False, 401)
    assert shown["lastTest"]["error"]
    assert (key["state"], key["stateReason"]) == ("DISABLED", shown["lastTest"]["error"])
    assert OTHER not in key["stateReason"]
    assert [each.state for each in _credentials(graphql)] in ([], ["DISABLED"])
    assert (await actions(graphql))[-1] == ("DISABLE", "CREDENTIAL", True)
    async with graphql.database.read(None) as session:
        kinds = await session.scalars(select(ConfigChange.kind).order_by(ConfigChange.number))
        assert list(kinds) == ["provider", "credential", "credential"]


def _credentials(graphql: GraphQL) -> list[Any]:
    """Those the data plane knows."""
    known = graphql.configuration.snapshot.credentials.values()
    return [each for found in known for each in found]


async def test_of_two_keys_the_new_one_is_tested(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    await add_key(graphql, admin, fake, secret=SECRET, weight=9)
    await add_key(graphql, admin, fake, secret=OTHER, weight=1)
    await background.done()

    nodes = (await graphql.data(SHOWN, admin))["provider"]["credentials"]["nodes"]
    assert [(node["weight"], node["state"]) for node in nodes] == [(9, "ACTIVE"), (1, "DISABLED")]


async def test_a_key_given_anew_is_tested_anew_and_works_again(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    id = await add_key(graphql, admin, fake, secret=OTHER)
    await background.done()
    await graphql.data(UPDATE_KEY, admin, input={"id": id, "secret": SECRET})
    await background.done()

    shown = (await graphql.data(SHOWN, admin))["provider"]
    assert shown["lastTest"]["ok"] is True
    assert [node["state"] for node in shown["credentials"]["nodes"]] == ["ACTIVE"]


async def test_a_test_asked_for_puts_a_refused_key_away_and_is_written_down(
    graphql: GraphQL,
    admin: Principal,
    fake: str,
    fake_provider: FakeProvider,
    background: Background,
) -> None:
    await add_key(graphql, admin, fake, secret=SECRET)
    await background.done()
    fake_provider.key = "changed over there"

    await graphql.data(TEST, admin, id=fake)

    shown = (await graphql.data(SHOWN, admin))["provider"]
    assert (shown["lastTest"]["ok"], shown["lastTest"]["httpStatus"]) == (False, 401)
    assert [node["state"] for node in shown["credentials"]["nodes"]] == ["DISABLED"]
    assert (await actions(graphql))[-2:] == [
        ("DISABLE", "CREDENTIAL", False),
        ("TEST", "PROVIDER", False),
    ]


async def test_a_key_given_anew_while_the_old_one_is_tested_stays_in_use(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    id = await add_key(graphql, admin, fake, secret=SECRET)
    await background.done()

    async def slow(
        provider: Any, key: Any, model: Any = None, *, thorough: bool = False
    ) -> ProbeResult:
        update = {"id": id, "secret": SECRET + "2"}
        graphql.probe_later = lambda *asked: None
        await graphql.data(UPDATE_KEY, admin, input=update)
        return ProbeResult(False, 1, 401, (), "Refused.")

    graphql.probe.test = slow  # type: ignore[method-assign]
    await graphql.data(TEST, admin, id=fake)

    shown = (await graphql.data(SHOWN, admin))["provider"]
    assert [node["state"] for node in shown["credentials"]["nodes"]] == ["ACTIVE"]
    assert shown["lastTest"]["error"] == "Refused."


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_key_that_only_lists_models_is_put_away_and_comes_back_when_it_serves(
    graphql: GraphQL,
    admin: Principal,
    fake: str,
    background: Background,
    status: int,
) -> None:
    key = await add_key(graphql, admin, fake, secret=SECRET)
    model = {
        "provider": fake,
        "name": f"fake-fail{status}x1",
        "price": {"input": "1", "output": "1"},
    }
    await graphql.data(CREATE_MODEL, admin, input=model)
    await background.done()
    states = [(await _key(graphql, admin))["state"]]
    for _ in range(2):
        background.confirm(key_of("Provider", fake), key_of("Credential", key))
        await background.done()
        states.append((await _key(graphql, admin))["state"])
        if states[-1] == "DISABLED":
            assert f"{status}" in (await _key(graphql, admin))["stateReason"]

    assert states == ["ACTIVE", "DISABLED", "ACTIVE"]
    assert (await _key(graphql, admin))["stateReason"] is None
    assert (await actions(graphql))[-2:] == [
        ("DISABLE", "CREDENTIAL", True),
        ("ENABLE", "CREDENTIAL", True),
    ]


async def test_one_that_was_switched_off_by_hand_stays_so(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    key = await add_key(graphql, admin, fake, secret=SECRET)
    await graphql.data(UPDATE_KEY, admin, input={"id": key, "enabled": False})
    background.confirm(key_of("Provider", fake), key_of("Credential", key))
    await background.done()

    assert (await _key(graphql, admin))["state"] == "DISABLED"


async def _key(graphql: GraphQL, admin: Principal) -> Any:
    [key] = (await graphql.data(SHOWN, admin))["provider"]["credentials"]["nodes"]
    return key


async def test_what_a_test_found_is_for_administrators(
    graphql: GraphQL, admin: Principal, user: Principal, fake: str
) -> None:
    result = await graphql('{ provider(slug: "fake") { slug lastTest { ok } } }', user)

    assert result.data == {"provider": {"slug": "fake", "lastTest": None}}
    assert [error.extensions["code"] for error in result.errors or ()] == ["FORBIDDEN"]  # type: ignore[index]


async def test_tests_that_are_under_way_end_with_the_server(
    graphql: GraphQL, admin: Principal, fake: str, background: Background
) -> None:
    await background.done()
    begun = asyncio.Event()

    async def endless(
        provider: Any, key: Any, model: Any = None, *, thorough: bool = False
    ) -> ProbeResult:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("It never ends.")

    graphql.probe.test = endless  # type: ignore[method-assign]
    await add_key(graphql, admin, fake, secret=SECRET)
    await begun.wait()

    await background.prober.stop()

    assert background.tasks[-1].cancelled()
