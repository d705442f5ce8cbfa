"""Reads and writes of provider keys; ciphertext is only ever read to be opened."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, insert, or_, select, true, update

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.credential import Credential
from db.session import AsyncSession, Caller

CREDENTIALS: Table = Credential.metadata.tables[Credential.__tablename__]
_SHOWN = tuple(c for c in CREDENTIALS.c if c.name not in ("ciphertext", "master_key_id"))

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "CREATED": (Key(CREDENTIALS.c.id, uuid.UUID),),
    "NAME": (Key(CREDENTIALS.c.name, str), Key(CREDENTIALS.c.id, uuid.UUID)),
}


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """The SYSTEM keys of a provider."""

    states: tuple[str, ...] | None = None
    order: str = "CREATED"
    descending: bool = False


def system_credentials(query: CredentialQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by provider."""
    statement = select(*_SHOWN).where(CREDENTIALS.c.owner_kind == "SYSTEM")
    if query.states is not None:
        statement = statement.where(CREDENTIALS.c.state.in_(query.states))
    ordering = Ordering(f"credential.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement, CREDENTIALS.c.provider_id), ordering


def _visible_to(caller: Caller) -> ColumnElement[bool]:
    own = and_(CREDENTIALS.c.owner_kind == "USER", CREDENTIALS.c.owner_id == caller.user_id)
    if caller.role == "ADMIN":
        return or_(CREDENTIALS.c.owner_kind == "SYSTEM", own)
    return own


async def credentials_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], caller: Caller
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such key or it is not the caller's to see."""
    found = await session.execute(
        select(*_SHOWN).where(among(CREDENTIALS.c.id, ids), _visible_to(caller))
    )
    return {row.id: row for row in found}


async def credential_by_id(session: AsyncSession, id: uuid.UUID, *, caller: Caller) -> Row | None:
    """A key, when it is the caller's to see."""
    return (await credentials_by_id(session, [id], caller)).get(id)


async def locked_system_credential(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A SYSTEM key that nobody else changes before this transaction ends."""
    found = await session.execute(
        select(*_SHOWN)
        .where(CREDENTIALS.c.id == id, CREDENTIALS.c.owner_kind == "SYSTEM")
        .with_for_update()
    )
    return found.one_or_none()


async def usable_system_credential(
    session: AsyncSession, provider_id: uuid.UUID, id: uuid.UUID | None = None
) -> Row | None:
    """That ACTIVE system key, else the one that takes most traffic, with its ciphertext."""
    found = await session.execute(
        select(CREDENTIALS)
        .where(
            CREDENTIALS.c.provider_id == provider_id,
            CREDENTIALS.c.owner_kind == "SYSTEM",
            CREDENTIALS.c.state == "ACTIVE",
            true() if id is None else CREDENTIALS.c.id == id,
        )
        .order_by(CREDENTIALS.c.weight.desc(), CREDENTIALS.c.id)
        .limit(1)
    )
    return found.one_or_none()


async def add_credential(session: AsyncSession, values: Mapping[str, Any]) -> Row:
    statement = insert(CREDENTIALS).values(**values).returning(*_SHOWN)
    return (await session.execute(statement)).one()


async def change_credential(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    statement = (
        update(CREDENTIALS).where(CREDENTIALS.c.id == id).values(**values).returning(*_SHOWN)
    )
    return (await session.execute(statement)).one()


async def remove_credential(session: AsyncSession, id: uuid.UUID) -> None:
    await session.execute(delete(CREDENTIALS).where(CREDENTIALS.c.id == id))


async def leave_credentials_behind(
    session: AsyncSession, provider_id: uuid.UUID, reason: str
) -> None:
    """A provider's destination changed: no key of it, whoever's, may be used until given anew."""
    await session.execute(
        update(CREDENTIALS)
        .where(CREDENTIALS.c.provider_id == provider_id)
        .values(state="NEEDS_KEY", state_reason=reason)
    )
