"""Nested paths lead nobody to what is another's; an id tells nothing; no input raises anybody."""

import random
from typing import Any

import msgspec
import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)
from strawberry import Schema
from uuid_utils.compat import uuid7

from auth.policies import Policy
from schema.node import global_id, parse_id
from schema.policies import policies_of
from tests.policies.world import HOME, HOUSE, OTHER, World, mark
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_policies import literal

STRANGE = {
    "anonymous": (HOME, OTHER, HOUSE, "own"),
    "user": (OTHER,),
    "other user": (HOME, "own"),
    "organisation's": (OTHER,),
    "inference key": (HOME, OTHER, HOUSE, "own"),
}
"""Whose marks a caller must never read."""
PUBLIC_MARKS = {mark(HOUSE)}
"""The house's rules are everybody's to read, its keys and webhooks are not."""


class Walker:
    """Random documents, as deep as they come, through every edge with every id there is."""

    def __init__(self, schema: GraphQLSchema, ids: list[str], seed: int) -> None:
        self._schema = schema
        self._ids = ids
        self._random = random.Random(seed)

    def document(self) -> str:
        query = self._schema.query_type
        assert query is not None
        return f"{{ {self._fields(query, 5)} }}"

    def _fields(self, type_: GraphQLObjectType, depth: int) -> str:
        names = self._random.sample(list(type_.fields), min(6, len(type_.fields)))
        found = [
            self._field(f"f{n}", name, type_.fields[name], depth) for n, name in enumerate(names)
        ]
        return " ".join(["__typename", *filter(None, found)])

    def _field(self, alias: str, name: str, field: GraphQLField, depth: int) -> str | None:
        arguments = []
        for key, argument in field.args.items():
            if isinstance(argument.type, GraphQLNonNull):
                arguments.append(f"{key}: {self._value(argument.type)}")
        call = f"{alias}: {name}" + (f"({', '.join(arguments)})" if arguments else "")
        type_ = get_named_type(field.type)
        if not is_composite_type(type_):
            return call
        if depth == 0:
            return None
        if isinstance(type_, GraphQLObjectType):
            return f"{call} {{ {self._fields(type_, depth - 1)} }}"
        members = self._schema.get_possible_types(type_)
        parts = [f"... on {one.name} {{ {self._fields(one, depth - 1)} }}" for one in members]
        return f"{call} {{ {' '.join(self._random.sample(parts, min(4, len(parts))))} }}"

    def _value(self, type_: GraphQLNonNull[Any]) -> str:
        if get_named_type(type_).name != "ID":
            return literal(type_)
        some = self._random.choice(self._ids)
        return f'["{some}"]' if "[" in str(type_) else f'"{some}"'


@pytest.mark.parametrize("who", STRANGE)
async def test_random_walks_meet_no_canary(
    graphql: GraphQL, schema: Schema, world: World, who: str
) -> None:
    every = [id for found in world.ids.values() for id in found.values()]
    walker = Walker(schema._schema, every, seed=7)
    forbidden = {mark(whose) for whose in STRANGE[who]} - (
        PUBLIC_MARKS if who in ("user", "other user", "organisation's") else set()
    )
    read, met = 0, []
    for _ in range(60):
        asked = walker.document()
        result = await graphql(asked, world.callers[who])
        text = msgspec.json.encode([result.data, [str(e) for e in result.errors or ()]]).decode()
        read += len(text)
        met += [(each, asked) for each in forbidden if each in text]
    assert met == []
    assert read > 2_000


async def test_random_walks_do_meet_what_is_there(
    graphql: GraphQL, schema: Schema, world: World
) -> None:
    """Else the walk above could prove nothing."""
    every = [id for found in world.ids.values() for id in found.values()]
    walker = Walker(schema._schema, every, seed=7)
    missing = {mark(whose) for whose in (HOME, OTHER, "own")}
    for _ in range(500):
        result = await graphql(walker.document(), world.callers["administrator"])
        text = msgspec.json.encode(result.data).decode()
        missing = {each for each in missing if each not in text}
        if not missing:
            break
    assert missing == set()


@pytest.mark.parametrize("who", ["user", "organisation's"])
async def test_a_foreign_id_and_none_at_all_are_answered_alike(
    graphql: GraphQL, world: World, who: str
) -> None:
    asked = (
        "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } user(id: $id) { id } }"
    )
    caller = world.callers[who]
    for foreign in world.foreign():
        parsed = parse_id(foreign)
        assert parsed is not None
        random_id = global_id(parsed[0], uuid7())
        assert await graphql.data(asked, caller, id=foreign) == await graphql.data(
            asked, caller, id=random_id
        )


def open_mutations(schema: Schema) -> dict[str, GraphQLInputObjectType]:
    """Mutations that need no administrator, with their inputs."""
    access = dict(policies_of(schema))
    mutation = schema._schema.type_map["Mutation"]
    assert isinstance(mutation, GraphQLObjectType)
    found = {}
    for name, field in mutation.fields.items():
        allowed = access[f"Mutation.{name}"]
        assert allowed is not None
        if allowed.policy is not Policy.ADMIN:
            input = get_named_type(field.args["input"].type)
            assert isinstance(input, GraphQLInputObjectType)
            found[name] = input
    return found


def call(name: str, input: GraphQLInputObjectType, **given: str) -> str:
    """A mutation with these ids, and else no more than it must have."""
    values = {
        key: literal(field.type)
        for key, field in input.fields.items()
        if isinstance(field.type, GraphQLNonNull) and key not in given
    }
    values |= {key: f'"{id}"' for key, id in given.items()}
    text = ", ".join(f"{key}: {value}" for key, value in values.items())
    answer = "__typename ... on Error { message code }"
    return f"mutation {{ {name}(input: {{{text}}}) {{ {answer} }} }}"


@pytest.mark.parametrize("who", ["user", "organisation's"])
async def test_mutations_answer_a_foreign_id_as_one_that_is_not_there(
    graphql: GraphQL, schema: Schema, world: World, who: str
) -> None:
    tried = 0
    for name, input in open_mutations(schema).items():
        for key, field in input.fields.items():
            if get_named_type(field.type).name != "ID" or "[" in str(field.type):
                continue
            for foreign in world.foreign():
                parsed = parse_id(foreign)
                assert parsed is not None
                answers = []
                for id in (foreign, global_id(parsed[0], uuid7())):
                    result = await graphql(call(name, input, **{key: id}), world.callers[who])
                    answers.append((result.data, [error.message for error in result.errors or ()]))
                assert answers[0] == answers[1], (name, key, parsed[0])
                tried += 1
    assert tried > 50


RAISING = ("role", "organization", "scope", "scopes", "balance", "creditLimit", "issuer", "owner")
BOUNDED = {
    "CreateApiKeyInput.organization": "one that the caller is in",
    "CreateApiKeyInput.scopes": "within the sign-in's",
    "UpdateApiKeyInput.scopes": "within the sign-in's",
    "UpdateMemberInput.organization": "one that the caller governs",
    "UpdateMemberInput.role": "in the organisation that the caller governs",
    "RemoveMemberInput.organization": "one that the caller governs",
    "CreateWebhookInput.organization": "one that the caller governs",
    "SaveByokKeyInput.organization": "one that the caller governs",
    "SetLimitsInput.owner": "one's own keys within the sign-in's, and what one governs",
    **{
        f"{name}RoutingRulesInput.{key}": "GLOBAL for administrators, ORGANIZATION for its own"
        for name in ("Set", "Publish", "Rollback")
        for key in ("scope", "organization")
    },
    **{
        f"{name}RoutingDraftInput.{key}": "GLOBAL for administrators, ORGANIZATION for its own"
        for name in ("Save", "Discard")
        for key in ("scope", "organization")
    },
}
"""What an input of a user's names beyond themselves, and the bound that other tests hold it to."""


def test_no_users_input_names_a_role_an_organization_a_balance_or_a_scope(schema: Schema) -> None:
    """A new one is either a mistake or needs a bound, a test of it, and a line above."""
    found = {
        f"{input.name}.{key}"
        for input in open_mutations(schema).values()
        for key in input.fields
        if key in RAISING
    }
    assert found - BOUNDED.keys() == set()


@pytest.mark.parametrize("who", ["user", "organisation's", "other user"])
async def test_nobody_raises_themselves(
    graphql: GraphQL, schema: Schema, world: World, who: str
) -> None:
    """Every input that names an organisation, with one that is not theirs: nothing is done."""
    foreign = world.ids["Organization"][HOME if who == "other user" else OTHER]
    before = await graphql.data(PEOPLE, world.callers["administrator"])
    done = []
    for name, input in open_mutations(schema).items():
        attempts = []
        if "organization" in input.fields:
            attempts.append(call(name, input, organization=foreign))
        if "scope" in input.fields:
            everybodys = call(name, input, scope="GLOBAL").replace('"GLOBAL"', "GLOBAL")
            attempts.append(everybodys)
        for asked in attempts:
            result = await graphql(asked, world.callers[who])
            answer = (result.data or {}).get(name) or {}
            if answer.get("__typename", "").endswith("Payload"):
                done.append(asked)
    assert done == []
    assert await graphql.data(PEOPLE, world.callers["administrator"]) == before


PEOPLE = """{
  users { nodes { name role enabled memberships { nodes { role organization { slug } } } } }
  apiKeys(filter: {everybody: true}) { nodes { name scopes organization { slug } } }
}"""
