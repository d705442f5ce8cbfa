"""Relay connections by keyset: the only shape in which the schema returns long lists."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import strawberry

from auth.policies import Policy
from db.keyset import Ordering, Page, Row, Window, keys_of
from domain.errors import InvalidInput
from schema.fields import attribute, edge, object_type

T = TypeVar("T")

DEFAULT_SIZE = 20
MAX_SIZE = 100

First = Annotated[
    int | None,
    strawberry.argument(description="How many from the start, at most 100; 20 by default."),
]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, at most 100.")]
Before = Annotated[
    str | None, strawberry.argument(description="Only what comes before this cursor.")
]


@strawberry.enum(description="Which end of an order comes first.")
class OrderDirection(StrEnum):
    ASC = "ASC"
    DESC = "DESC"


@dataclass(frozen=True, slots=True)
class PageArguments:
    """A connection's arguments as the client gave them; hashable, so a loader can key on them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def window(self, ordering: Ordering) -> Window:
        """The window in terms of `ordering`. Raises InvalidInput, naming the argument."""
        if self.first is not None and self.last is not None:
            raise InvalidInput("last", "Give `first` or `last`, not both.")
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 0 <= size <= MAX_SIZE:
                raise InvalidInput(name, f"`{name}` lies between 0 and {MAX_SIZE}.")
        backwards = self.last is not None
        size = self.last if backwards else self.first
        return Window(
            limit=DEFAULT_SIZE if size is None else size,
            after=None if self.after is None else _decode("after", self.after, ordering),
            before=None if self.before is None else _decode("before", self.before, ordering),
            backwards=backwards,
        )


def _encode(row: Row, ordering: Ordering) -> str:
    parts = (ordering.name, *keys_of(row, ordering))
    return urlsafe_b64encode(msgspec.json.encode(parts)).rstrip(b"=").decode()


def _decode(argument: str, cursor: str, ordering: Ordering) -> tuple[Any, ...]:
    try:
        raw = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        shape = tuple.__class_getitem__((str, *(key.type for key in ordering.keys)))
        name, *values = msgspec.json.decode(raw, type=shape)
    except (ValueError, msgspec.MsgspecError):
        name = None
        values = []
    if name != ordering.name:
        raise InvalidInput(argument, "This cursor does not belong to this list in this order.")
    return tuple(values)


@object_type(Policy.PUBLIC, description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@object_type(None, description="One place in a list.")
class Edge(Generic[T]):
    node: T
    cursor: str = attribute(description="For `after` or `before`.")


@object_type(None, description="A page of a list.")
class Connection(Generic[T]):
    nodes: list[T] = attribute(description="The objects of this page.", size=1)
    page_info: PageInfo
    cursors: strawberry.Private[Callable[[], list[str]]]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @edge(description="The objects of this page with their cursors.", size=1)
    def edges(self) -> list[Edge[T]]:
        return [
            Edge(node=node, cursor=cursor)
            for node, cursor in zip(self.nodes, self.cursors(), strict=True)
        ]

    @edge(
        description="How many there are on all pages; counted only when asked for.",
        graphql_type=int,
        weight=5,
    )
    def total_count(self) -> Awaitable[int]:
        return self.count()


def connection(
    page: Page,
    ordering: Ordering,
    make: Callable[[Row], T],
    count: Callable[[], Awaitable[int]],
) -> Connection[T]:
    """A page as a connection; `count` is awaited only when `totalCount` is selected."""
    rows = page.rows
    return Connection(
        nodes=[make(row) for row in rows],
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=_encode(rows[0], ordering) if rows else None,
            end_cursor=_encode(rows[-1], ordering) if rows else None,
        ),
        cursors=lambda: [_encode(row, ordering) for row in rows],
        count=count,
    )
