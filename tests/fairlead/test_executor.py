"""Plain attributes are answered as Strawberry's own executor answers them, faults included."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse

from fairlead.graphql.columns import Known
from fairlead.graphql.executor import executor_for, fields_of
from fairlead.graphql.leaves import Leaf
from resolvers.root import build_schema


@strawberry.enum
class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


@strawberry.type
class Thing:
    name: str
    size: int
    note: str | None
    colour: Colour
    tint: Colour | None
    tags: list[str]

    @strawberry.field
    async def later(self) -> str:
        await asyncio.sleep(0)
        return self.name * 2

    @strawberry.field
    def loud(self) -> str:
        return self.name.upper()


SOUND: dict[str, Any] = {
    "name": "a",
    "size": 1,
    "note": None,
    "colour": Colour.RED,
    "tint": None,
    "tags": ["x"],
}
FAULTS: list[dict[str, Any]] = [
    {},
    {"name": None},
    {"name": 7},
    {"size": "seven"},
    {"size": 2**40},
    {"note": "n", "tint": Colour.BLUE},
    {"colour": "GREEN"},
    {"colour": None},
    {"tags": None},
]


@dataclass
class Bare:
    """Lacks attributes that it should have."""

    name: str = "bare"


@strawberry.type
class Query:
    @strawberry.field
    def things(self, info: strawberry.Info[Any, None]) -> list[Thing | None]:
        return list(info.context)


SCHEMA = strawberry.Schema(Query)
DOCUMENT = parse(
    "{ things { tint size later other: name ...f loud note __typename colour } }"
    " fragment f on Thing { tags name }"
)


async def answered(things: list[Any], executor: Any) -> ExecutionResult:
    found = execute(
        SCHEMA._schema,
        DOCUMENT,
        context_value=things,
        executor_class=executor,
        operation_extensions={},
    )
    settled = await found if isawaitable(found) else found
    assert isinstance(settled, ExecutionResult)
    return settled


@pytest.mark.parametrize("fault", [*FAULTS, None])
async def test_data_and_errors_are_the_same(fault: dict[str, Any] | None) -> None:
    odd = Bare() if fault is None else Thing(**{**SOUND, **fault})
    things = [Thing(**SOUND), odd, Thing(**SOUND)]

    ours = await answered(things, executor_for(SCHEMA._schema))
    theirs = await answered(things, SCHEMA.execution_context_class)

    assert ours.data == theirs.data
    assert [e.formatted for e in ours.errors or ()] == [e.formatted for e in theirs.errors or ()]
    if ours.data is not None and ours.data["things"][0] is not None:
        assert list(ours.data["things"][0]) == list(theirs.data["things"][0])  # type: ignore[index]


def test_what_is_computed_is_no_plain_attribute() -> None:
    plain = {"name", "size", "note", "colour", "tint"}
    assert leaves(fields_of(SCHEMA._schema)["Thing"]) == plain
    fields = fields_of(build_schema()._schema)
    assert {"name", "slug", "version"} <= leaves(fields["Provider"])
    assert "provider" not in leaves(fields["Model"])


def leaves(known: Known) -> set[str]:
    return {name for name, each in known.items() if isinstance(each, Leaf)}
