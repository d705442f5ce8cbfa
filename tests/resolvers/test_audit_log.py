"""The audit log as administrators read it: narrowed, paged, and by nobody else."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from db.models.apikey import ApiKey, Pepper
from db.models.user import User
from db.session import Database
from domain.audit import AuditAction, AuditObject, record
from domain.audit_export import query_of
from domain.download import opened
from domain.principal import Principal, Role
from schema.node import global_id
from tests.resolvers.conftest import GraphQL, add_provider
from tests.resolvers.rules import refusals

LOG = """
query ($first: Int, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    totalCount
    edges { node { number } }
    nodes { number action objectType objectId before after requestId hash at
            actor { name } apiKey { name } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
CHANGES = (
    (AuditAction.CREATE, AuditObject.PROVIDER),
    (AuditAction.CREATE, AuditObject.CREDENTIAL),
    (AuditAction.CREATE, AuditObject.MODEL),
    (AuditAction.UPDATE, AuditObject.API_KEY),
    (AuditAction.PUBLISH, AuditObject.ROUTING_RULE_VERSION),
)


@pytest.fixture
async def log(database: Database, admin: Principal) -> list[uuid.UUID]:
    """The objects of five changes of an administrator."""
    ids = [uuid7() for _ in CHANGES]
    async with database.write(admin) as session:
        for id, (action, kind) in zip(ids, CHANGES, strict=True):
            await record(session, action, kind, id, after={"n": 1})
    return ids


async def test_the_key_they_came_with_and_the_system_are_told_apart(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    pepper = Pepper(ciphertext=b"", master_key_id="")
    key = ApiKey(
        public_id="x", hash=b"", pepper_id=uuid7(), name="laptop", user_id=admin.user_id, scopes=[]
    )
    async with database.write(None) as session:
        session.add(pepper)
        await session.flush()
        key.pepper_id = pepper.id
        session.add(key)
        await session.flush()
        await record(session, AuditAction.SEED, AuditObject.CATALOGUE, None, after={"models": 1})
    caller = replace(admin, api_key_id=key.id)
    await add_provider(graphql, caller, "openai")

    nodes = (await graphql.data(LOG, admin))["auditLog"]["nodes"]
    assert [(node["actor"], node["apiKey"], node["objectId"] is None) for node in nodes] == [
        ({"name": "Ada"}, {"name": "laptop"}, False),
        (None, None, True),
    ]


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"actions": ["PUBLISH"]}, [5]),
        ({"objectTypes": ["CREDENTIAL", "MODEL"]}, [3, 2]),
        ({"from": "2020-01-01T00:00:00Z", "to": "2021-01-01T00:00:00Z"}, []),
        ({"from": "2020-01-01T00:00:00Z"}, [5, 4, 3, 2, 1]),
        ({"bySystem": True}, []),
        ({"objectId": "bm9wZQ=="}, []),
        ({"actor": "bm9wZQ=="}, []),
    ],
)
async def test_is_narrowed_by_what_is_asked(
    graphql: GraphQL,
    admin: Principal,
    log: list[uuid.UUID],
    filter: dict[str, Any],
    numbers: list[int],
) -> None:
    data = await graphql.data(LOG, admin, filter=filter)

    assert [node["number"] for node in data["auditLog"]["nodes"]] == numbers
    assert data["auditLog"]["totalCount"] == len(numbers)


async def test_is_narrowed_to_an_object_and_a_person(
    graphql: GraphQL, admin: Principal, log: list[uuid.UUID]
) -> None:
    of_model = await graphql.data(LOG, admin, filter={"objectId": global_id("Model", log[2])})
    actor = global_id("User", admin.user_id)
    of_ada = await graphql.data(LOG, admin, filter={"actor": actor}, first=2)

    [node] = of_model["auditLog"]["nodes"]
    assert (node["action"], node["objectId"], node["before"]) == (
        "CREATE",
        global_id("Model", log[2]),
        None,
    )
    assert of_ada["auditLog"]["totalCount"] == 5
    cursor = of_ada["auditLog"]["pageInfo"]["endCursor"]
    rest = await graphql.data(LOG, admin, after=cursor)
    assert [node["number"] for node in rest["auditLog"]["nodes"]] == [3, 2, 1]


async def test_is_for_administrators(graphql: GraphQL, admin: Principal, user: Principal) -> None:
    await add_provider(graphql, admin, "openai")
    document = "{ auditLog { nodes { id } } }"
    id = (await graphql.data(document, admin))["auditLog"]["nodes"][0]["id"]
    node = "query ($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }"

    assert await graphql.codes(LOG, user) == ["FORBIDDEN"]
    assert await graphql.codes(LOG, None) == ["UNAUTHENTICATED"]
    assert await graphql.data(node, user, id=id) == {"node": None}
    assert await graphql.data(node, admin, id=id) == {"node": {"action": "CREATE"}}


async def test_as_many_statements_for_a_hundred_entries_as_for_one(
    graphql: GraphQL, database: Database, admin: Principal
) -> None:
    people = [User(issuer="x", subject=str(n), name=f"p{n}", role=Role.USER) for n in range(100)]
    async with database.write(None) as session:
        session.add_all(people)
    for person in people:
        async with database.write(replace(admin, user_id=person.id, api_key_id=uuid7())) as session:
            await record(session, AuditAction.UPDATE, AuditObject.USER, person.id)

    counts = []
    for size in (1, 100):
        with graphql.statements() as sent:
            data = await graphql.data(LOG, admin, first=size)
        counts.append((len(data["auditLog"]["nodes"]), len(sent)))

    assert counts == [(1, counts[0][1]), (100, counts[0][1])]


EXPORT = """
query ($format: ExportFormat!, $filter: AuditFilter) {
  auditExport(format: $format, filter: $filter) { url expiresAt }
}
"""


async def test_a_link_to_the_log_is_for_what_was_asked_and_what_there_is_now(
    graphql: GraphQL, admin: Principal, user: Principal, log: list[uuid.UUID]
) -> None:
    before = datetime.now(UTC)
    filter = {"actions": ["PUBLISH"], "to": "2999-01-01T00:00:00Z"}
    found = (await graphql.data(EXPORT, admin, format="CSV", filter=filter))["auditExport"]
    path, _, link = found["url"].partition("?link=")

    download = opened(graphql.cipher, path, link)
    query = query_of(download)

    assert (path, download.user, query.actions) == ("/exports/audit", admin.user_id, ("PUBLISH",))
    assert query.until is not None
    assert before <= query.until <= datetime.now(UTC)
    assert await refusals(graphql, EXPORT, user, format="CSV") == ["FORBIDDEN"]
