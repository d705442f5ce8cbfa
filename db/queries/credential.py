"""Reads and writes of provider keys; ciphertext is only ever read to be opened."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.credential import Credential
from db.models.provider import Provider
from db.queries.usage import Reach
from db.session import AsyncSession

CREDENTIALS: Table = Credential.metadata.tables[Credential.__tablename__]
_PROVIDERS: Table = Provider.metadata.tables[Provider.__tablename__]
_MOST_ASKED = 20
_SHOWN = tuple(c for c in CREDENTIALS.c if c.name not in ("ciphertext", "master_key_id"))

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "CREATED": (Key(CREDENTIALS.c.id, uuid.UUID),),
    "NAME": (Key(CREDENTIALS.c.name, str), Key(CREDENTIALS.c.id, uuid.UUID)),
}


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """Keys of a provider or of an owner."""

    states: tuple[str, ...] | None = None
    order: str = "CREATED"
    descending: bool = False


def system_credentials(query: CredentialQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by provider."""
    return _listed(query, CREDENTIALS.c.owner_kind == "SYSTEM", CREDENTIALS.c.provider_id)


def own_credentials(kind: str, query: CredentialQuery, reach: Reach) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by owner of that kind; of what is in reach."""
    seen = and_(CREDENTIALS.c.owner_kind == kind, _visible(reach))
    return _listed(query, seen, CREDENTIALS.c.owner_id)


def _listed(
    query: CredentialQuery, seen: ColumnElement[bool], parent: ColumnElement[Any]
) -> tuple[Listed, Ordering]:
    statement = select(*_SHOWN).where(seen)
    if query.states is not None:
        statement = statement.where(CREDENTIALS.c.state.in_(query.states))
    ordering = Ordering(f"credential.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement, parent), ordering


def _visible(reach: Reach) -> ColumnElement[bool]:
    return true() if reach.everybody else _owned(reach)


def _owned(reach: Reach) -> ColumnElement[bool]:
    """A person's own, and those of the organisation they govern."""
    kind, id = CREDENTIALS.c.owner_kind, CREDENTIALS.c.owner_id
    own = and_(kind == "USER", id == reach.user)
    if reach.organization is None:
        return own
    return or_(own, and_(kind == "ORGANIZATION", id == reach.organization))


async def credentials_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such key or it is out of reach."""
    found = await session.execute(
        select(*_SHOWN).where(among(CREDENTIALS.c.id, ids), _visible(reach))
    )
    return {row.id: row for row in found}


async def credential_by_id(session: AsyncSession, id: uuid.UUID, *, reach: Reach) -> Row | None:
    """A key, when it is in reach."""
    return (await credentials_by_id(session, [id], reach)).get(id)


async def testable_credential(session: AsyncSession, id: uuid.UUID, reach: Reach) -> Row | None:
    """A key that may be used on demand: one's own, or for administrators the system's."""
    system = CREDENTIALS.c.owner_kind == "SYSTEM" if reach.everybody else false()
    found = await session.execute(
        select(*_SHOWN).where(CREDENTIALS.c.id == id, or_(system, _owned(reach)))
    )
    return found.one_or_none()


async def count_own_credentials(
    session: AsyncSession, provider_id: uuid.UUID, kind: str, owner_id: uuid.UUID
) -> int:
    """How many keys an owner has at a provider."""
    counted = select(func.count()).where(
        CREDENTIALS.c.provider_id == provider_id,
        CREDENTIALS.c.owner_kind == kind,
        CREDENTIALS.c.owner_id == owner_id,
    )
    return await session.scalar(counted) or 0


async def locked_credential(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A key, whoever's, that nobody else changes before this transaction ends."""
    return await _locked(session, id, true())


async def locked_system_credential(session: AsyncSession, id: uuid.UUID) -> Row | None:
    return await _locked(session, id, CREDENTIALS.c.owner_kind == "SYSTEM")


async def locked_own_credential(
    session: AsyncSession, id: uuid.UUID, *, reach: Reach
) -> Row | None:
    """One's own, or one of the organisation one governs."""
    return await _locked(session, id, _owned(reach))


async def _locked(session: AsyncSession, id: uuid.UUID, whose: ColumnElement[bool]) -> Row | None:
    found = await session.execute(
        select(*_SHOWN).where(CREDENTIALS.c.id == id, whose).with_for_update()
    )
    return found.one_or_none()


async def usable_credential(
    session: AsyncSession, provider_id: uuid.UUID, id: uuid.UUID | None = None
) -> Row | None:
    """That key, whoever's, ACTIVE or refused by its provider, else the system's ACTIVE one that
    takes most traffic; with ciphertext."""
    active = CREDENTIALS.c.state == "ACTIVE"
    refused = and_(CREDENTIALS.c.state == "DISABLED", CREDENTIALS.c.refused_at.is_not(None))
    found = await session.execute(
        select(CREDENTIALS)
        .where(
            CREDENTIALS.c.provider_id == provider_id,
            and_(active, CREDENTIALS.c.owner_kind == "SYSTEM")
            if id is None
            else and_(or_(active, refused), CREDENTIALS.c.id == id),
        )
        .order_by(CREDENTIALS.c.weight.desc(), CREDENTIALS.c.id)
        .limit(1)
    )
    return found.one_or_none()


async def claim_refused(
    session: AsyncSession, soonest: timedelta, latest: timedelta
) -> Sequence[Row]:
    """Refused keys (`id`, `provider_id`) that this process is to ask about now: each time as long
    after the last as that was after the refusal, but within these bounds."""
    columns = CREDENTIALS.c
    last = func.coalesce(columns.probed_at, columns.refused_at)
    apart = func.least(func.greatest(last - columns.refused_at, soonest), latest)
    due = (
        select(columns.id)
        .join(_PROVIDERS, _PROVIDERS.c.id == columns.provider_id)
        .where(columns.state == "DISABLED", columns.refused_at.is_not(None))
        .where(_PROVIDERS.c.enabled, last + apart < func.now())
        .order_by(columns.id)
        .limit(_MOST_ASKED)
        .with_for_update(skip_locked=True, of=CREDENTIALS)
    )
    claimed = update(CREDENTIALS).where(columns.id.in_(due)).values(probed_at=func.now())
    # Nothing of the key has changed by that.
    claimed = claimed.values(updated_at=columns.updated_at)
    return (await session.execute(claimed.returning(columns.id, columns.provider_id))).all()


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
