"""Statements of every connection of the schema, with every edge of its objects: none grows."""

import uuid
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from db.session import Database
from domain.principal import Principal
from schema.node import parse_id
from tests.resolvers.changes import World, call
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import settle
from tests.resolvers.seeds import seed
from tests.schema.test_mutations import SCHEMA

_QUERY = SCHEMA.type_map["Query"]
assert isinstance(_QUERY, GraphQLObjectType)
ROOT: dict[str, GraphQLField] = dict(_QUERY.fields)
PLACES = {
    "viewer": "viewer",
    "usage": "usage",
    "wallet": "wallet(id: $owner)",
    "user": "user(id: $owner)",
}
"""Objects that hold connections and are not in a list themselves, as a document names them."""


def is_connection(field: GraphQLField) -> bool:
    return get_named_type(field.type).name.endswith("Connection") and "first" in field.args


def needs(field: GraphQLField) -> bool:
    """Whether it has an argument that must be given."""
    return any(isinstance(each.type, GraphQLNonNull) for each in field.args.values()) and not all(
        each.default_value is not None for each in field.args.values()
    )


def edges_of(type_: Any, depth: int) -> str:
    """Every field that may cost a statement: objects and connections, `depth` levels deep."""
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return "__typename"
    found = ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if needs(field) or not is_composite_type(inner):
            continue
        if is_connection(field):
            rows = "nodes { __typename } edges { cursor }"
            found.append(f"{name}(first: $n) {{ totalCount {rows} pageInfo {{ hasNextPage }} }}")
        elif depth and not isinstance(inner, GraphQLUnionType):
            found.append(f"{name} {{ {edges_of(inner, depth - 1)} }}")
        else:
            found.append(f"{name} {{ __typename }}")
    return " ".join(found)


def listed(field: GraphQLField) -> str:
    connection = get_named_type(field.type)
    assert isinstance(connection, GraphQLObjectType)
    node = get_named_type(connection.fields["nodes"].type)
    return f"totalCount nodes {{ {edges_of(node, 0)} }} edges {{ cursor }}"


def documents() -> dict[str, str]:
    """By `Type.field`, for the root's connections and those of objects that stand alone."""
    found = {}
    for name, field in ROOT.items():
        if is_connection(field):
            found[f"Query.{name}"] = (
                f"query ($n: Int) {{ {name}(first: $n) {{ {listed(field)} }} }}"
            )
    for root, named in PLACES.items():
        type_ = get_named_type(ROOT[root].type)
        assert isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items():
            if is_connection(field):
                declared = "$n: Int, $owner: ID!" if "$owner" in named else "$n: Int"
                inner = f"{name}(first: $n) {{ {listed(field)} }}"
                found[f"{type_.name}.{name}"] = f"query ({declared}) {{ {named} {{ {inner} }} }}"
    return found


DOCUMENTS = documents()


def test_every_connection_is_counted() -> None:
    """Alone, or as an edge of the objects of another."""
    every = {
        f"{name}.{field}"
        for name, type_ in SCHEMA.type_map.items()
        if isinstance(type_, GraphQLObjectType)
        for field, definition in type_.fields.items()
        if is_connection(definition)
    }
    nested = {
        f"{node.name}.{field}"
        for document in DOCUMENTS
        for node in [node_of(document)]
        for field, definition in node.fields.items()
        if is_connection(definition)
    }

    assert every - set(DOCUMENTS) - nested == set()


def node_of(document: str) -> GraphQLObjectType:
    owner, _, name = document.partition(".")
    type_ = SCHEMA.type_map[owner]
    assert isinstance(type_, GraphQLObjectType)
    connection = get_named_type(type_.fields[name].type)
    assert isinstance(connection, GraphQLObjectType)
    node = get_named_type(connection.fields["nodes"].type)
    assert isinstance(node, GraphQLObjectType)
    return node


@pytest.fixture
async def many(graphql: GraphQL, database: Database, admin: Principal, world: World) -> str:
    """Several of everything; the id of a person with a wallet."""
    await seed(database, 6)
    for n in range(4):
        hook = {"url": "https://hooks.example/", "eventTypes": ["PRICE_CHANGED"]}
        paid = {"wallet": world.other, "amount": "1", "reason": "x", "idempotencyKey": f"m-{n}"}
        own = {"provider": world.provider, "secret": f"sk-canary-{n}-0123456789"}
        for name, input in (
            ("createUser", {"name": f"Person {n}"}),
            ("createOrganization", {"slug": f"tenant-{n}"}),
            ("createApiKey", {"name": f"key {n}"}),
            ("createWebhook", hook),
            ("testWebhook", {"id": world.webhook}),
            ("creditWallet", paid),
            ("saveByokKey", own),
            ("setRoutingRules", {"strategy": "COST", "note": f"version {n}"}),
        ):
            assert (await call(graphql, admin, name, input)).endswith("Payload"), name
    await graphql.configuration.refresh()
    providers = [key(world.provider), key(world.bare)]
    rows = [
        {
            "user_id": admin.user_id,
            "organization_id": admin.organization_id,
            "provider_id": providers[n % 2],
            "model_id": key(world.model),
        }
        for n in range(6)
    ]
    await settle(graphql, *rows)
    return world.other


def key(id: str) -> uuid.UUID:
    parsed = parse_id(id)
    assert parsed is not None
    return parsed[1]


async def test_as_many_statements_for_a_hundred_as_for_one(
    graphql: GraphQL, admin: Principal, many: str
) -> None:
    counted = {}
    for name, document in DOCUMENTS.items():
        owner = {"owner": many} if "$owner" in document else {}
        counts = []
        for n in (1, 100):
            with graphql.statements() as statements:
                await graphql.data(document, admin, n=n, **owner)
            counts.append(len(statements))
        counted[name] = counts

    assert {name: counts for name, counts in counted.items() if counts[0] != counts[1]} == {}
