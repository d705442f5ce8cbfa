"""Lists answered column by column are what graphql-core answers, faults included."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from inspect import isawaitable
from random import Random
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse, validate
from strawberry.dataloader import DataLoader

from fairlead.graphql.executor import executor_for


class Shelf:
    """What one execution knows: the books by number, loaded in batches, which are counted."""

    def __init__(self, books: dict[int, Any], roots: list[Any]) -> None:
        self.roots = roots
        self.batches: list[list[int]] = []
        self._books = books
        self._loader = DataLoader(load_fn=self._load)

    def book(self, number: int) -> Awaitable[Any]:
        return self._loader.load(number)

    async def _load(self, numbers: list[int]) -> Sequence[Any]:
        self.batches.append(numbers)
        await asyncio.sleep(0)
        return [self._books.get(number, KeyError(number)) for number in numbers]


Info = strawberry.Info[Shelf, None]


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Author(Named):
    born: int | None


@strawberry.type
class Book:
    title: str
    next: strawberry.Private[int]
    author: Author | None
    others: list[Author | None]
    tags: list[str | None] | None
    score: float

    @strawberry.field
    def sequel(self, info: Info) -> "Book":
        return info.context.book(self.next)  # type: ignore[return-value]

    @strawberry.field
    def perhaps(self, info: Info) -> "Book | None":
        return None if self.next < 0 else info.context.book(self.next)  # type: ignore[return-value]

    @strawberry.field
    def loud(self) -> str | None:
        return self.title.upper()

    @strawberry.field
    def where(self, info: Info) -> str:
        return f"{info._raw_info.parent_type}.{info.field_name} of {info.python_name}"

    @strawberry.field
    async def late(self) -> str:
        await asyncio.sleep(0)
        return self.title

    @strawberry.field
    def cut(self, to: int = 2) -> str:
        return self.title[:to]


@strawberry.type
class Query:
    @strawberry.field
    def books(self, info: Info) -> list[Book]:
        return info.context.roots

    @strawberry.field
    def perhaps(self, info: Info) -> list[Book | None] | None:
        return info.context.roots


SCHEMA = strawberry.Schema(Query)
OURS, THEIRS = executor_for(SCHEMA._schema), SCHEMA.execution_context_class
QUERIES = [
    "{ books { title author { name born __typename } sequel { title loud } } }",
    "{ books { ...f t: title sequel { ...f sequel { ...f } } } } fragment f on Book { score tags }",
    "{ books { perhaps { title perhaps { author { name } others { born ... on Named { name } } } }"
    " where sequel { where } __typename } }",
    "{ perhaps { others { name } sequel { perhaps { title tags } } b: sequel { loud } } }",
    "{ books { late sequel { title } } perhaps { cut(to: 1) author { name } } }",
    "query($no: Boolean = false) { books { title @include(if: $no) sequel @skip(if: $no)"
    " { others { name @skip(if: true) born } } } }",
]
FAULTS: list[dict[str, Any]] = [
    {},
    {"title": None},
    {"title": 7},
    {"next": 99},
    {"next": -1},
    {"author": None},
    {"author": "nobody"},
    {"author": Author(name=None, born=None)},  # type: ignore[arg-type]
    {"others": [None]},
    {"others": None},
    {"others": (Author(name="t", born=2**40),)},
    {"others": [ValueError("lost")]},
    {"tags": ["a", None]},
    {"tags": "ab"},
    {"tags": [7, object()]},
    {"score": float("nan")},
    {"score": ValueError("no score")},
]


def library(fault: dict[str, Any], seed: int) -> tuple[dict[int, Any], list[Any]]:
    """Books by number, one of them with a fault, and some of them as the roots."""
    random = Random(seed)
    shared = [Author(name=f"a{n}", born=n or None) for n in range(3)]
    books = {
        n: Book(
            title=f"t{n}",
            next=random.randrange(6),
            author=random.choice(shared),
            others=random.sample(shared, 2),
            tags=None if n == 1 else [f"g{n}"],
            score=n / 2,
        )
        for n in range(6)
    }
    odd = random.randrange(6)
    books[odd] = replace(books[odd], **fault)
    roots: list[Any] = [books[random.randrange(6)] for _ in range(4)]
    if seed % 5 == 0:
        roots[random.randrange(4)] = random.choice([None, ValueError("gone"), "no book"])
    return books, roots


async def answered(query: str, shelf: Shelf, executor: Any) -> ExecutionResult:
    document = parse(query)
    assert not validate(SCHEMA._schema, document)
    found = execute(
        SCHEMA._schema,
        document,
        context_value=shelf,
        executor_class=executor,
        operation_extensions={},
    )
    settled = await found if isawaitable(found) else found
    assert isinstance(settled, ExecutionResult)
    return settled


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("fault", FAULTS, ids=range(len(FAULTS)))
async def test_data_errors_and_order_are_the_same(query: str, fault: dict[str, Any]) -> None:
    for seed in range(12):
        made = library(fault, seed)
        ours = await answered(query, Shelf(*made), OURS)
        theirs = await answered(query, Shelf(*made), THEIRS)
        assert repr(ours.data) == repr(theirs.data)
        assert told(ours) == told(theirs)


def told(result: ExecutionResult) -> list[str]:
    return sorted(repr(error.formatted) for error in result.errors or ())


async def test_no_key_is_loaded_twice_and_levels_are_loaded_together() -> None:
    books, roots = library({}, 1)
    shelf = Shelf(books, roots)
    query = "{ books { a: sequel { sequel { title } } b: sequel { sequel { title } } } }"

    assert (await answered(query, shelf, OURS)).errors is None

    asked = [number for batch in shelf.batches for number in batch]
    assert len(asked) == len(set(asked))
    assert len(shelf.batches) <= 2
