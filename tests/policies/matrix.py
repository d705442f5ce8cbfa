"""Every field, asked by every kind of caller for things of theirs and of others: what came back.

    python -m pytest tests/policies/test_matrix.py --write-policies

writes expected.txt anew; read the difference before you commit it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)

from tests.policies.world import World
from tests.resolvers.conftest import GraphQL

ANSWERS = {"UNAUTHENTICATED": "401", "FORBIDDEN": "403"}


def nodes(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    """Types that `node(id)` finds."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and any(
            each.name == "Node" for each in type_.interfaces
        ):
            yield type_


def selection(field: GraphQLField) -> str | None:
    """The shortest selection of a field; None when it needs arguments."""
    if any(isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()):
        return None
    type_ = get_named_type(field.type)
    if not is_composite_type(type_):
        return ""
    if not isinstance(type_, GraphQLUnionType) and "totalCount" in type_.fields:
        return "{ totalCount }"
    return "{ __typename }"


async def of_nodes(graphql: GraphQL, schema: GraphQLSchema, world: World) -> list[str]:
    """`Type.field @whose: caller=answer …` for each field of each type with an id."""
    rows = []
    for type_ in nodes(schema):
        for whose, id in sorted(world.ids.get(type_.name, {}).items()):
            for name, field in type_.fields.items():
                chosen = selection(field)
                if chosen is None:
                    continue
                asked = (
                    f'{{ node(id: "{id}") {{ ... on {type_.name} {{ found: {name} {chosen} }} }} }}'
                )
                rows.append(f"{type_.name}.{name} @{whose}: {await _row(graphql, asked, world)}")
    return rows


async def of_roots(graphql: GraphQL, schema: GraphQLSchema, world: World) -> list[str]:
    """The same for the fields of Query that need no argument."""
    rows = []
    query = schema.query_type
    assert query is not None
    for name, field in query.fields.items():
        chosen = selection(field)
        if chosen is not None:
            asked = f"{{ node: __typename found: {name} {chosen} }}"
            rows.append(f"Query.{name}: {await _row(graphql, asked, world)}")
    return rows


async def _row(graphql: GraphQL, asked: str, world: World) -> str:
    cells = [
        f"{who}={await _answer(graphql, asked, caller)}" for who, caller in world.callers.items()
    ]
    return ", ".join(cells)


async def _answer(graphql: GraphQL, asked: str, caller: Any) -> str:
    result = await graphql(asked, caller)
    for error in result.errors or ():
        return ANSWERS.get((error.extensions or {}).get("code", ""), "error")
    data = result.data or {}
    place = data if "found" in data else data.get("node")
    if place is None:
        return "hidden"
    return _shown(place.get("found"))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "totalCount" in value:
        return str(value["totalCount"])
    if isinstance(value, list):
        return str(len(value))
    return "null" if value is None else "shown"
