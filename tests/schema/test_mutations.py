"""Every mutation has one shape: one input, a union of a payload and errors, an example."""

import dataclasses
import re
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)

from resolvers.root import build_schema
from tests.resolvers.changes import World, examples

SCHEMA = build_schema()._schema
ERROR = SCHEMA.type_map["Error"]
_MUTATION = SCHEMA.type_map["Mutation"]
assert isinstance(_MUTATION, GraphQLObjectType)
MUTATIONS: dict[str, GraphQLField] = dict(_MUTATION.fields)

RECORDED_AS_USAGE = {"complete"}
"""They change nothing but usage, which is a ledger of its own: test_completion.py has theirs."""
_MAKES = re.compile(r"^(create|issue|save|credit|adjust|refund|add|replay|rotateApi|setModelPrice)")
_REPLACED = {"saveRoutingDraft"}
"""What one has one of: sent twice it is the same, and `expectedRevision` tells."""
_UNVERSIONED = {"updateApiKey", "updateMember", "updateSettings"}
"""Updates of what has no version: each sets all that it names, and nothing follows from before."""


def input_of(name: str) -> GraphQLInputObjectType:
    found = get_named_type(MUTATIONS[name].args["input"].type)
    assert isinstance(found, GraphQLInputObjectType)
    return found


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


@pytest.mark.parametrize("name", MUTATIONS)
def test_takes_one_input_and_answers_with_a_union(name: str) -> None:
    field = MUTATIONS[name]
    assert list(field.args) == ["input"]
    assert isinstance(field.args["input"].type, GraphQLNonNull)
    assert input_of(name).name == f"{capital(name)}Input"
    assert isinstance(field.type, GraphQLNonNull)
    union = get_named_type(field.type)
    assert isinstance(union, GraphQLUnionType)
    assert union.name == f"{capital(name)}Result"
    payload, *errors = union.types
    assert payload.name == f"{capital(name)}Payload"
    assert errors, "it can at least be refused"
    assert all(ERROR in each.interfaces for each in errors)


@pytest.mark.parametrize("name", MUTATIONS)
def test_creates_and_movements_of_money_can_be_sent_twice(name: str) -> None:
    has = "idempotencyKey" in input_of(name).fields

    assert has == bool(_MAKES.match(name) and name not in _REPLACED)


@pytest.mark.parametrize("name", [name for name in MUTATIONS if name.startswith("update")])
def test_updates_take_the_version_that_was_read(name: str) -> None:
    assert ("expectedVersion" in input_of(name).fields) == (name not in _UNVERSIONED)


def test_every_mutation_has_an_example_that_is_done_and_one_that_is_refused() -> None:
    """tests/resolvers/test_audit.py sends them and looks for their entries in the log."""
    blank: Any = World(*["bm9wZQ=="] * len(dataclasses.fields(World)))

    assert set(examples(blank)) == set(MUTATIONS) - RECORDED_AS_USAGE


def test_errors_have_a_code_and_say_whether_to_try_again() -> None:
    assert isinstance(ERROR, GraphQLInterfaceType)

    assert {name: str(field.type) for name, field in ERROR.fields.items()} == {
        "message": "String!",
        "code": "ErrorCode!",
        "retryable": "Boolean!",
    }
