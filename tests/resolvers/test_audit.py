"""The audit log: one entry for each mutation, exact, without secrets."""

import asyncio
from collections.abc import Sequence

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
from tests.resolvers.changes import PRICE, SECRET, World, call, examples
from tests.resolvers.conftest import GraphQL
from tests.schema.test_mutations import RECORDED_AS_USAGE

MUTATIONS = build_schema()._schema.type_map["Mutation"]
assert isinstance(MUTATIONS, GraphQLObjectType)


async def entries(database: Database) -> Sequence[Row]:
    async with database.read(None) as session:
        return await entries_after(session, 0, 1000)


async def whole(database: Database) -> bool:
    return ChainWalk().follow(await entries(database)) is None


@pytest.mark.parametrize("name", sorted(MUTATIONS.fields.keys() - RECORDED_AS_USAGE))
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
