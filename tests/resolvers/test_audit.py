"""The audit log: one entry for each mutation, exact, without secrets."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import select, text

from db.keyset import Row
from db.models.apikey import ApiKey
from db.queries.audit import entries_after
from db.session import Database
from domain.audit import ChainWalk
from domain.principal import Principal
from resolvers.root import build_schema
from schema.node import parse_id
from tests.provider.server import FakeProvider
from tests.resolvers.changes import PRICE, SECRET, World, examples
from tests.resolvers.conftest import GraphQL, add_provider
from tests.resolvers.webhooks import TEST

MUTATIONS = build_schema()._schema.type_map["Mutation"]
assert isinstance(MUTATIONS, GraphQLObjectType)


async def call(graphql: GraphQL, caller: Principal, name: str, input: dict[str, Any]) -> str:
    """The type of a mutation's answer."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ __typename }} }}"
    data = await graphql.data(document, caller, input=input)
    return str(data[name]["__typename"])


async def entries(database: Database) -> Sequence[Row]:
    async with database.read(None) as session:
        return await entries_after(session, 0, 1000)


async def whole(database: Database) -> bool:
    return ChainWalk().follow(await entries(database)) is None


MAKE = """
mutation (
  $key: CreateCredentialInput!, $own: SaveByokKeyInput!, $model: CreateModelInput!,
  $rules: SetRoutingRulesInput!
) {
  createCredential(input: $key) { ... on CreateCredentialPayload { credential { id } } }
  saveByokKey(input: $own) { ... on SaveByokKeyPayload { credential { id } } }
  createModel(input: $model) { ... on CreateModelPayload { model { id } } }
  createApiKey(input: {name: "first"}) { ... on CreateApiKeyPayload { apiKey { id } } }
  setRoutingRules(input: $rules) { __typename }
  saveRoutingDraft(input: {strategy: LATENCY}) { __typename }
  createOrganization(input: {slug: "acme"}) {
    ... on CreateOrganizationPayload { organization { id } }
  }
  createUser(input: {name: "Ben"}) { ... on CreateUserPayload { user { id } } }
  other: createUser(input: {name: "Cem"}) { ... on CreateUserPayload { user { id } } }
  createWebhook(input: {url: "https://hooks.example/", eventTypes: [RULES_PUBLISHED]}) {
    ... on CreateWebhookPayload { webhook { id } }
  }
}
"""


@pytest.fixture
async def world(graphql: GraphQL, admin: Principal, fake_provider: FakeProvider) -> World:
    provider = await add_provider(
        graphql, admin, "fake", type="CUSTOM", baseUrl=fake_provider.base_url
    )
    made = await graphql.data(
        MAKE,
        admin,
        key={"provider": provider, "secret": SECRET},
        own={"provider": provider, "secret": SECRET},
        model={"provider": provider, "name": "small"},
        rules={"strategy": "COST"},
    )
    webhook = made["createWebhook"]["webhook"]["id"]
    return World(
        provider,
        made["createCredential"]["credential"]["id"],
        made["createModel"]["model"]["id"],
        made["createApiKey"]["apiKey"]["id"],
        made["saveByokKey"]["credential"]["id"],
        made["createOrganization"]["organization"]["id"],
        made["createUser"]["user"]["id"],
        made["other"]["user"]["id"],
        webhook,
        await delivered(graphql, admin, webhook),
    )


async def delivered(graphql: GraphQL, admin: Principal, webhook: str) -> str:
    """A delivery that has ended."""
    delivery = (await graphql.data(TEST, admin, id=webhook))["testWebhook"]["delivery"]["id"]
    async with graphql.database.write(None) as session:
        await session.execute(text("UPDATE webhook_deliveries SET state = 'DELIVERED'"))
    return str(delivery)


@pytest.fixture
async def member(graphql: GraphQL, admin: Principal, world: World) -> dict[str, str]:
    """Where a person was put by hand."""
    input = {"organization": world.organization, "user": world.user}
    await call(graphql, admin, "addMember", input)
    return input


@pytest.mark.parametrize("name", MUTATIONS.fields)
async def test_every_mutation_that_is_done_leaves_one_entry_and_a_refused_one_none(
    graphql: GraphQL,
    database: Database,
    admin: Principal,
    world: World,
    member: dict[str, str],
    name: str,
) -> None:
    """A new mutation needs an example in changes.py, and an entry in the log."""
    done, refused = examples(world)[name]
    before = await entries(database)

    answer = await call(graphql, admin, name, refused)
    assert answer.endswith("Error") or refused == {}
    assert await entries(database) == before

    assert (await call(graphql, admin, name, done)).endswith("Payload")
    added = (await entries(database))[len(before) :]
    assert [(row.user_id, row.number) for row in added] == [(admin.user_id, len(before) + 1)]
    assert added[0].request_id is not None
    assert await whole(database)


async def test_says_what_changed_from_what_to_what(
    graphql: GraphQL, database: Database, admin: Principal, world: World
) -> None:
    seen = len(await entries(database))
    provider = {"id": world.provider, "name": "Other", "timeouts": {"connectMs": 900}}
    await call(graphql, admin, "updateProvider", provider)
    await call(graphql, admin, "updateModel", {"id": world.model, "quality": 1.0})
    await call(graphql, admin, "setModelPrice", {"model": world.model, "price": PRICE})
    await call(graphql, admin, "updateSettings", {"powerLevel": "ECO"})
    await call(graphql, admin, "setRoutingRules", {"strategy": "LATENCY", "note": "Better"})

    found = [
        (row.action, row.object_type, row.before, row.after)
        for row in (await entries(database))[seen:]
    ]
    priced = found[2][3]
    rules = found[4]
    assert found[:2] == [
        (
            "UPDATE",
            "PROVIDER",
            {"name": "fake", "options": {}, "version": 1},
            {"name": "Other", "options": {"connect_timeout_ms": 900}, "version": 2},
        ),
        ("UPDATE", "MODEL", {"quality": None, "version": 1}, {"quality": 1.0, "version": 2}),
    ]
    assert found[2][:3] == ("SET_PRICE", "MODEL", None)
    assert (priced["input"], priced["output"], priced["source"]) == (2500000, 10000000, "manual")
    assert (found[3][2], found[3][3]["power_level"]) == (None, "ECO")
    assert (rules[0], rules[1]) == ("PUBLISH", "ROUTING_RULE_VERSION")
    assert (rules[2]["version"], rules[2]["body"]["strategy"]) == (1, "COST")
    assert (rules[3]["version"], rules[3]["note"]) == (2, "Better")
    assert rules[3]["body"]["strategy"] == "LATENCY"


async def test_a_deleted_object_is_told_as_it_was(
    graphql: GraphQL, database: Database, admin: Principal, world: World
) -> None:
    await call(graphql, admin, "deleteModel", {"id": world.model})

    last = (await entries(database))[-1]
    parsed = parse_id(world.model)
    assert parsed is not None
    assert (last.action, last.object_id, last.after) == ("DELETE", parsed[1], None)
    assert (last.before["reference"], last.before["capabilities"]) == ("fake/small", ["STREAMING"])


async def test_no_secret_is_ever_in_the_log(
    graphql: GraphQL, database: Database, admin: Principal, world: World
) -> None:
    document = """
    mutation { createApiKey(input: {name: "x"}) { ... on CreateApiKeyPayload { secret } } }
    """
    made = (await graphql.data(document, admin))["createApiKey"]["secret"]
    secret = SECRET + "-second"
    await call(graphql, admin, "updateCredential", {"id": world.credential, "secret": secret})

    async with database.read(None) as session:
        log = str(await session.scalar(text("SELECT json_agg(audit_log) FROM audit_log")))
        key = (await session.scalars(select(ApiKey).where(ApiKey.name == "x"))).one()
    last = (await entries(database))[-1]
    assert last.after["mask"] == "sk-…cond"
    assert key.public_id in log
    for hidden in (SECRET, "canary", made, made.rpartition("_")[2], key.hash.hex(), "ciphertext"):
        assert hidden not in log
    assert sorted(last.after) == ["fingerprint", "mask", "version"]


async def test_concurrent_writers_keep_the_chain(
    graphql: GraphQL, database: Database, admin: Principal, world: World
) -> None:
    before = len(await entries(database))

    async def write(n: int) -> str:
        if n % 2:
            return await call(graphql, admin, "createProvider", {"slug": f"p{n}", "type": "OPENAI"})
        return await call(graphql, admin, "updateModel", {"id": world.model, "quality": n / 100})

    answers = await asyncio.gather(*(write(n) for n in range(40)))

    assert set(answers) == {"CreateProviderPayload", "UpdateModelPayload"}
    assert [row.number for row in await entries(database)] == list(range(1, before + 41))
    assert await whole(database)
