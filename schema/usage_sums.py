"""Reads the sums one operation asks for: what its figures share once, the rest side by side."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from strawberry.types.nodes import SelectedField

from db.queries import usage_totals as queries
from db.queries.usage import UsageQuery
from db.queries.usage_totals import Figures, Group, Sums, Wanted
from schema.context import Context, Info


def wanted_below(info: Info) -> Wanted:
    """What is selected below a field, of what costs extra."""
    return wanted_of(info.selected_fields)


def wanted_of(selections: Sequence[Any]) -> Wanted:
    names = set(_names(selections))
    return Wanted(
        percentiles=any(name.endswith("Ms") for name in names), users="uniqueUsers" in names
    )


def _names(selections: Sequence[Any]) -> Iterator[str]:
    for each in selections:
        if isinstance(each, SelectedField):
            yield each.name
        yield from _names(each.selections)


def _parts(selections: Sequence[Any], name: str) -> list[Any]:
    """What is selected on the part `name` of a field's object, fragments included."""
    found = []
    for each in selections:
        if not isinstance(each, SelectedField):
            found += _parts(each.selections, name)
        elif each.name == name:
            found += each.selections
    return found


async def sums_by_provider(context: Context, asked: list[tuple[UsageQuery, bool]]) -> list[Sums]:
    """Providers and all together of each query, with percentiles or without: what the figures of
    one operation have in common is read once."""
    wanted: dict[UsageQuery, bool] = {}
    for query, percentiles in asked:
        wanted[query] = wanted.get(query, False) or percentiles

    async def read(query: UsageQuery) -> Sums:
        async with context.read() as session:
            return await queries.by_provider(session, query, percentiles=wanted[query])

    found = dict(zip(wanted, await asyncio.gather(*map(read, wanted)), strict=True))
    return [found[query] for query, _ in asked]


async def totals_of(info: Info, query: UsageQuery) -> Figures:
    """All together."""
    context, wanted = info.context, wanted_below(info)
    if not queries.is_timed(query):
        async with context.read() as session:
            return await queries.totals(session, query, wanted)
    sums, users = await asyncio.gather(
        context.load(sums_by_provider, (query, wanted.percentiles)),
        context.load(unique_users, query) if wanted.users else _nobody(),
    )
    return replace(sums.figures(), users=users)


async def unique_users(context: Context, asked: list[UsageQuery]) -> list[int]:
    """How many people made the requests of each query."""
    async with context.read() as session:
        return [await queries.unique_users(session, query) for query in asked]


async def _nobody() -> None:
    return None


async def breakdown_of(
    info: Info, query: UsageQuery, by: str, first: int
) -> tuple[list[Group], Figures | None]:
    """The first groups, and the others if they are asked for."""
    context, wanted = info.context, wanted_below(info)
    fields = [each for field in info.selected_fields for each in field.selections]
    others = _parts(fields, "other")
    if queries.is_raw(query, by, wanted) or not queries.is_timed(query):
        async with context.read() as session:
            return await queries.breakdown(session, query, by, first, wanted, wanted_of(others))
    if by == "PROVIDER" and not wanted.users:
        sums = await context.load(sums_by_provider, (query, wanted.percentiles))
        return sums.first(first).split()

    async def top_of() -> Sums:
        mine = wanted_of(_parts(fields, "groups"))
        async with context.read() as session:
            return await queries.top_of(
                session, query, by, first, replace(mine, users=wanted.users)
            )

    if not others:
        return (await top_of()).split()
    percentiles = wanted_of(others).percentiles
    top, whole = await asyncio.gather(
        top_of(), context.load(sums_by_provider, (query, percentiles))
    )
    return top.beside(whole).split()
