"""Every root field, asked by every kind of caller: exactly its policy decides, before anything."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
)
from strawberry.types import ExecutionResult

from auth.policies import allows
from domain.principal import Principal, Scope
from resolvers.root import build_schema
from schema.fields import Access
from schema.policies import policies_of
from tests.resolvers.conftest import GraphQL

SCHEMA = build_schema()
ROOTS = {
    name: fields.fields
    for name in ("Query", "Mutation", "Subscription")
    if isinstance(fields := SCHEMA._schema.type_map.get(name), GraphQLObjectType)
}
ACCESS = {name: access for name, access in policies_of(SCHEMA) if name.partition(".")[0] in ROOTS}
SCALARS = {"Int": "1", "Float": "0.5", "Boolean": "true", "BigInt": "1", "USD": '"1"'}


def literal(type_: GraphQLInputType) -> str:
    """Some value of an input type, with no more than it must have."""
    if isinstance(type_, GraphQLNonNull):
        return literal(type_.of_type)
    if isinstance(type_, GraphQLList):
        return f"[{literal(type_.of_type)}]"
    if isinstance(type_, GraphQLEnumType):
        first: str = next(iter(type_.values))
        return first
    if isinstance(type_, GraphQLInputObjectType):
        return f"{{{required(type_.fields)}}}"
    return SCALARS.get(type_.name, '"2030-01-01T00:00:00Z"')


def required(arguments: Any) -> str:
    return ", ".join(
        f"{name}: {literal(argument.type)}"
        for name, argument in arguments.items()
        if isinstance(argument.type, GraphQLNonNull)
    )


def document(root: str, name: str, field: GraphQLField) -> str:
    arguments = required(field.args)
    call = f"{name}({arguments})" if arguments else name
    selected = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{root.lower()} {{ {call}{selected} }}"


DOCUMENTS = {
    f"{root}.{name}": document(root, name, field)
    for root, fields in ROOTS.items()
    for name, field in fields.items()
}


def callers(user: Principal, admin: Principal) -> list[Principal | None]:
    """Nobody, and both roles with every scope, with none and with each alone."""
    scopes = [frozenset(Scope), frozenset[Scope](), *(frozenset({scope}) for scope in Scope)]
    return [None, *(replace(who, scopes=some) for who in (user, admin) for some in scopes)]


async def asked(graphql: GraphQL, name: str, caller: Principal | None) -> list[Any]:
    """Codes of the errors the first answer has."""
    if not name.startswith("Subscription."):
        return await graphql.codes(DOCUMENTS[name], caller)
    found = await SCHEMA.subscribe(DOCUMENTS[name], context_value=graphql.context(caller))
    assert isinstance(found, AsyncIterator)
    first: ExecutionResult = await anext(found)
    return [(error.extensions or {}).get("code") for error in first.errors or ()]


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_the_policy_decides_and_refuses_before_anything_happens(
    graphql: GraphQL, user: Principal, admin: Principal, name: str
) -> None:
    access = ACCESS[name]
    assert isinstance(access, Access)
    for caller in callers(user, admin):
        allowed = allows(access.policy, access.scope, caller)
        if allowed and name.startswith("Subscription."):
            continue
        with graphql.statements() as sent:
            codes = await asked(graphql, name, caller)
        if allowed:
            assert {"UNAUTHENTICATED", "FORBIDDEN"}.isdisjoint(codes), caller
        else:
            refusal = "UNAUTHENTICATED" if caller is None else "FORBIDDEN"
            assert (codes, sent) == ([refusal], []), caller
