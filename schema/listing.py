"""Lists that become connections: a root field's one, or an edge's many in one statement."""

import uuid
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from db.keyset import Listed, Ordering, Page, Row, count, count_of_each, page, page_of_each
from domain.errors import InvalidInput
from schema.context import Context
from schema.pagination import Connection, PageArguments, connection

Asked = TypeVar("Asked", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[Asked]):
    """One parent's page: a loader's key."""

    parent: uuid.UUID
    asked: Asked
    arguments: PageArguments


@dataclass(frozen=True, slots=True)
class Listing(Generic[Asked, T]):
    """How one kind of list is read.

    `plan` turns what was asked (filter and order, hashable) into a statement and its ordering;
    `make` turns a row into the schema's object.
    """

    plan: Callable[[Context, Asked], tuple[Listed, Ordering]]
    make: Callable[[Row], T]

    async def whole(
        self, context: Context, asked: Asked, arguments: PageArguments
    ) -> Connection[T]:
        """A page of the list as such. Raises InvalidInput for arguments that do not fit it."""
        listed, ordering = self.plan(context, asked)
        window = arguments.window(ordering)
        async with context.read() as session:
            found = await page(session, listed, ordering, window)

        async def total() -> int:
            async with context.read() as session:
                return await count(session, listed)

        return connection(found, ordering, self.make, total)

    def load(self, context: Context, slice: Slice[Asked]) -> Awaitable[Connection[T]]:
        """One parent's page, read together with those of the others."""
        return context.load(self.of_parents, slice)

    async def of_parents(
        self, context: Context, slices: list[Slice[Asked]]
    ) -> list[Connection[T] | InvalidInput]:
        """A page for each parent: one statement for all slices that ask for the same."""
        made: dict[Slice[Asked], Connection[T] | InvalidInput] = {}
        for (asked, arguments), group in _grouped(slices).items():
            listed, ordering = self.plan(context, asked)
            try:
                window = arguments.window(ordering)
            except InvalidInput as error:
                made.update(dict.fromkeys(group, error))
                continue
            async with context.read() as session:
                found = await page_of_each(
                    session, listed, [each.parent for each in group], ordering, window
                )
            for each in group:
                made[each] = connection(
                    found.get(each.parent, Page()),
                    ordering,
                    self.make,
                    partial(context.load, self.counts, each),
                )
        return [made[each] for each in slices]

    async def counts(self, context: Context, slices: list[Slice[Asked]]) -> list[int]:
        """How many there are for each parent, whatever the page."""
        counted: dict[Slice[Asked], int] = {}
        for (asked, _), group in _grouped(slices).items():
            listed, _ = self.plan(context, asked)
            async with context.read() as session:
                found = await count_of_each(session, listed, [each.parent for each in group])
            counted.update((each, found.get(each.parent, 0)) for each in group)
        return [counted[each] for each in slices]


def _grouped(
    slices: list[Slice[Asked]],
) -> dict[tuple[Asked, PageArguments], list[Slice[Asked]]]:
    groups: dict[tuple[Asked, PageArguments], list[Slice[Asked]]] = {}
    for each in slices:
        groups.setdefault((each.asked, each.arguments), []).append(each)
    return groups
