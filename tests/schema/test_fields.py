"""A field without a policy, or with one too weak for what it returns, does not build."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import strawberry
from uuid_utils.compat import uuid7

from auth.policies import Policy
from domain.principal import Principal, Role, Scope
from schema.fields import attribute, edge, object_type, query_field, subscription_field
from schema.pagination import Connection
from schema.policies import MissingPolicyError, check_policies, policies_of


@object_type(Policy.ADMIN, description="A private thing.")
class Vault:
    name: str


@object_type(Policy.SIGNED_IN, description="A thing with a private part.")
class House:
    name: str = attribute(description="Its name.")

    @edge(description="Only for administrators.", policy=Policy.ADMIN, graphql_type=Vault)
    def vault(self) -> Vault:
        return Vault(name="gold")


class Context:
    def __init__(self, principal: Principal | None) -> None:
        self.principal = principal


def principal(role: Role, *scopes: Scope) -> Principal:
    return Principal(user_id=uuid7(), role=role, scopes=frozenset(scopes))


@strawberry.type
class Query:
    @query_field(Policy.SIGNED_IN, description="A house.", graphql_type=House)
    async def house(self) -> House:
        return House(name="mine")


@strawberry.type
class Subscription:
    @subscription_field(Policy.ADMIN, description="Counts.", graphql_type=int)
    async def count(self) -> AsyncIterator[int]:
        for number in (1, 2):
            yield number


SCHEMA = strawberry.Schema(query=Query, subscription=Subscription)


async def ask(document: str, caller: Principal | None) -> tuple[Any, list[Any]]:
    result = await SCHEMA.execute(document, context_value=Context(caller))
    return result.data, [error.extensions for error in result.errors or ()]


def test_every_field_tells_its_policy() -> None:
    check_policies(SCHEMA)

    assert {name: access.policy for name, access in policies_of(SCHEMA) if access} == {
        "Query.house": Policy.SIGNED_IN,
        "House.name": Policy.SIGNED_IN,
        "House.vault": Policy.ADMIN,
        "Vault.name": Policy.ADMIN,
        "Subscription.count": Policy.ADMIN,
    }


async def test_strangers_are_unauthenticated() -> None:
    assert await ask("{ house { name } }", None) == (None, [{"code": "UNAUTHENTICATED"}])


async def test_a_key_without_the_scope_is_forbidden() -> None:
    caller = principal(Role.ADMIN, Scope.INFERENCE)

    assert await ask("{ house { name } }", caller) == (None, [{"code": "FORBIDDEN"}])


async def test_a_stricter_edge_is_checked_where_it_is_used() -> None:
    user = principal(Role.USER, Scope.READ)
    admin = principal(Role.ADMIN, Scope.READ)

    assert await ask("{ house { name } }", user) == ({"house": {"name": "mine"}}, [])
    assert await ask("{ house { vault { name } } }", user) == (None, [{"code": "FORBIDDEN"}])
    assert await ask("{ house { vault { name } } }", admin) == (
        {"house": {"vault": {"name": "gold"}}},
        [],
    )


async def listen(caller: Principal | None) -> list[Any]:
    results = await SCHEMA.subscribe("subscription { count }", context_value=Context(caller))
    return [result.data or [e.extensions for e in result.errors or ()] async for result in results]


async def test_a_subscription_starts_only_for_whom_it_is() -> None:
    assert await listen(principal(Role.ADMIN, Scope.READ)) == [{"count": 1}, {"count": 2}]
    assert await listen(principal(Role.USER, Scope.READ)) == [[{"code": "FORBIDDEN"}]]
    assert await listen(None) == [[{"code": "UNAUTHENTICATED"}]]


def test_a_field_without_a_policy_does_not_build() -> None:
    @strawberry.type
    class Bare:
        name: str

        @strawberry.field
        def other(self) -> str:
            return self.name

    @strawberry.type
    class Root:
        @query_field(Policy.SIGNED_IN, description="Bare.", graphql_type=Bare)
        def bare(self) -> Bare:
            return Bare(name="x")

    with pytest.raises(MissingPolicyError) as caught:
        check_policies(strawberry.Schema(query=Root))

    assert str(caught.value) == "Bare.name has no policy; Bare.other has no policy"


def test_a_field_may_not_hand_out_what_is_more_private_than_itself() -> None:
    @strawberry.type
    class Root:
        @query_field(Policy.SIGNED_IN, description="A vault.", graphql_type=Vault)
        def vault(self) -> Vault:
            return Vault(name="x")

        @query_field(Policy.SIGNED_IN, description="Vaults.", graphql_type=Connection[Vault])
        def vaults(self) -> None:
            return None

    with pytest.raises(MissingPolicyError) as caught:
        check_policies(strawberry.Schema(query=Root))

    assert str(caught.value) == (
        "Root.vault is less strict than Vault; Root.vaults is less strict than Connection"
    )
