"""Writes of the seed: only what is missing, unless the seeded rows are to be restored."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select, text
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Row
from db.models.credential import Credential
from db.models.model import Model, Price
from db.models.provider import Provider
from db.session import AsyncSession

_PROVIDERS: Table = Provider.metadata.tables[Provider.__tablename__]
_MODELS: Table = Model.metadata.tables[Model.__tablename__]
_PRICES: Table = Price.metadata.tables[Price.__tablename__]
_CREDENTIALS: Table = Credential.metadata.tables[Credential.__tablename__]


_LOCK = text("SELECT pg_advisory_xact_lock(5023170008)")


async def lock_catalogue(session: AsyncSession) -> None:
    """Held to the end of the transaction: of two seeds the second finds what the first wrote."""
    await session.execute(_LOCK)


async def _put(
    session: AsyncSession,
    table: Table,
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    restore: bool,
) -> int:
    """Insert rows; those that exist are left alone, or set to the given values."""
    if not rows:
        return 0
    statement = insert(table).values(list(rows))
    if restore:
        columns: dict[str, Any] = {
            name: statement.excluded[name] for name in rows[0] if name not in (*key, "id")
        }
        columns["version"] = table.c.version + 1
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=columns)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    return len((await session.execute(statement.returning(table.c.id))).all())


async def put_providers(
    session: AsyncSession, rows: Sequence[Mapping[str, Any]], *, restore: bool
) -> int:
    """Returns how many rows were written. Every row has the same columns."""
    return await _put(session, _PROVIDERS, ("slug",), rows, restore)


async def put_models(
    session: AsyncSession, rows: Sequence[Mapping[str, Any]], *, restore: bool
) -> int:
    """Returns how many rows were written. Every row has the same columns."""
    return await _put(session, _MODELS, ("provider_id", "name"), rows, restore)


async def put_prices(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert new dated prices."""
    if rows:
        await session.execute(insert(_PRICES).values(list(rows)))


async def providers_by_slug(session: AsyncSession, slugs: Sequence[str]) -> dict[str, Row]:
    """(id, type, base_url) of the providers of those slugs, locked to the transaction's end."""
    found = await session.execute(
        select(_PROVIDERS.c.slug, _PROVIDERS.c.id, _PROVIDERS.c.type, _PROVIDERS.c.base_url)
        .where(_PROVIDERS.c.slug.in_(slugs))
        .order_by(_PROVIDERS.c.id)
        .with_for_update()
    )
    return {row.slug: row for row in found}


async def model_ids(
    session: AsyncSession, providers: Sequence[uuid.UUID]
) -> dict[tuple[uuid.UUID, str], uuid.UUID]:
    """Model ids by (provider, name)."""
    found = await session.execute(
        select(_MODELS.c.provider_id, _MODELS.c.name, _MODELS.c.id).where(
            _MODELS.c.provider_id.in_(providers)
        )
    )
    return {(row.provider_id, row.name): row.id for row in found}


async def system_fingerprints(session: AsyncSession, provider: uuid.UUID) -> set[str]:
    """Fingerprints of the system keys a provider has, without those left behind by a move."""
    found = await session.execute(
        select(_CREDENTIALS.c.fingerprint).where(
            _CREDENTIALS.c.provider_id == provider,
            _CREDENTIALS.c.owner_kind == "SYSTEM",
            _CREDENTIALS.c.state != "NEEDS_KEY",
        )
    )
    return set(found.scalars())


async def any_provider(session: AsyncSession) -> bool:
    """Whether the installation has a provider at all."""
    return (await session.execute(select(_PROVIDERS.c.id).limit(1))).first() is not None
