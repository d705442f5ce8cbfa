"""Reads and writes of providers."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.credential import Credential
from db.models.provider import Provider, ProviderTest
from db.session import AsyncSession

PROVIDERS: Table = Provider.metadata.tables[Provider.__tablename__]
_TESTS: Table = ProviderTest.metadata.tables[ProviderTest.__tablename__]

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "PRIORITY": (Key(PROVIDERS.c.priority, int), Key(PROVIDERS.c.slug, str)),
    "SLUG": (Key(PROVIDERS.c.slug, str),),
    "NAME": (Key(PROVIDERS.c.name, str), Key(PROVIDERS.c.id, uuid.UUID)),
    "CREATED": (Key(PROVIDERS.c.id, uuid.UUID),),
}


@dataclass(frozen=True, slots=True)
class ProviderQuery:
    """`search` is looked for in slug and name, whatever the case; `enabled` None means both.

    `only_enabled` is what users may see, whatever they ask for.
    """

    search: str | None = None
    types: tuple[str, ...] | None = None
    enabled: bool | None = None
    only_enabled: bool = False
    order: str = "PRIORITY"
    descending: bool = False


def providers(query: ProviderQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes."""
    statement = select(PROVIDERS)
    if query.search:
        found = [
            column.icontains(query.search, autoescape=True)
            for column in (PROVIDERS.c.slug, PROVIDERS.c.name)
        ]
        statement = statement.where(or_(*found))
    if query.types is not None:
        statement = statement.where(PROVIDERS.c.type.in_(query.types))
    if query.enabled is not None:
        statement = statement.where(PROVIDERS.c.enabled == query.enabled)
    if query.only_enabled:
        statement = statement.where(PROVIDERS.c.enabled)
    name = f"provider.{query.order}"
    return Listed(statement), Ordering(name, ORDERS[query.order], query.descending)


async def providers_by_id(session: AsyncSession, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such provider."""
    found = await session.execute(select(PROVIDERS).where(among(PROVIDERS.c.id, ids)))
    return {row.id: row for row in found}


async def provider_by_id(session: AsyncSession, id: uuid.UUID) -> Row | None:
    return (await providers_by_id(session, [id])).get(id)


async def provider_by_slug(session: AsyncSession, slug: str) -> Row | None:
    found = await session.execute(select(PROVIDERS).where(PROVIDERS.c.slug == slug))
    return found.one_or_none()


async def locked_provider(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A provider that nobody else changes before this transaction ends."""
    found = await session.execute(select(PROVIDERS).where(PROVIDERS.c.id == id).with_for_update())
    return found.one_or_none()


async def locked_provider_of(session: AsyncSession, credential_id: uuid.UUID) -> Row | None:
    """The provider a key belongs to, which nobody else changes before this transaction ends."""
    owner = select(Credential.provider_id).where(Credential.id == credential_id)
    found = await session.execute(
        select(PROVIDERS).where(PROVIDERS.c.id == owner.scalar_subquery()).with_for_update()
    )
    return found.one_or_none()


async def add_provider(session: AsyncSession, values: Mapping[str, Any]) -> Row | None:
    """Insert a provider, or return None when its slug is taken."""
    statement = insert(PROVIDERS).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["slug"])
    return (await session.execute(statement.returning(*PROVIDERS.c))).one_or_none()


async def change_provider(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    """Set columns and count the version up."""
    statement = (
        update(PROVIDERS)
        .where(PROVIDERS.c.id == id)
        .values(version=PROVIDERS.c.version + 1, **values)
        .returning(*PROVIDERS.c)
    )
    return (await session.execute(statement)).one()


async def remove_provider(session: AsyncSession, id: uuid.UUID) -> None:
    """Delete a provider with its models, prices and credentials."""
    await session.execute(delete(PROVIDERS).where(PROVIDERS.c.id == id))


async def keep_test(
    session: AsyncSession, provider_id: uuid.UUID, values: Mapping[str, Any]
) -> None:
    """What a test found, in place of the one before."""
    statement = insert(_TESTS).values(provider_id=provider_id, **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["provider_id"], set_={**values, "at": func.now()}
        )
    )


async def last_tests(session: AsyncSession, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """What the last tests found, by provider; absent for those never tested."""
    found = await session.execute(select(_TESTS).where(among(_TESTS.c.provider_id, ids)))
    return {row.provider_id: row for row in found}
