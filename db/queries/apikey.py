"""Reads and writes of API keys and the peppers their hashes are keyed with."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, func, insert, or_, select, text, true, update

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.apikey import ApiKey, Pepper
from db.models.user import Membership, Organization, User, UserSettings
from db.queries.usage import Reach
from db.session import AsyncSession

API_KEYS: Table = ApiKey.metadata.tables[ApiKey.__tablename__]
_PEPPERS: Table = Pepper.metadata.tables[Pepper.__tablename__]
_USERS: Table = User.metadata.tables[User.__tablename__]
_MEMBERSHIPS: Table = Membership.metadata.tables[Membership.__tablename__]
_ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]
_SETTINGS: Table = UserSettings.metadata.tables[UserSettings.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(5023170006)")


_EXPIRED: ColumnElement[bool] = func.coalesce(API_KEYS.c.expires_at <= func.now(), False)
_REVOKED: ColumnElement[bool] = API_KEYS.c.revoked_at.is_not(None)
_STATES: Mapping[str, ColumnElement[bool]] = {
    "ACTIVE": ~_REVOKED & ~_EXPIRED,
    "EXPIRED": ~_REVOKED & _EXPIRED,
    "REVOKED": _REVOKED,
}
_ID = Key(API_KEYS.c.id, uuid.UUID)
ORDERS: Mapping[str, tuple[Key, ...]] = {
    "CREATED": (_ID,),
    "NAME": (Key(API_KEYS.c.name, str), _ID),
}


@dataclass(frozen=True, slots=True)
class ApiKeyQuery:
    """None means any. `user` is whose keys, `organization` for which; `search` is in the name."""

    user: uuid.UUID | None = None
    organization: uuid.UUID | None = None
    search: str | None = None
    states: tuple[str, ...] | None = None
    order: str = "CREATED"
    descending: bool = True


def api_keys(query: ApiKeyQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes."""
    statement = select(API_KEYS)
    if query.user is not None:
        statement = statement.where(API_KEYS.c.user_id == query.user)
    if query.organization is not None:
        statement = statement.where(API_KEYS.c.organization_id == query.organization)
    if query.search:
        statement = statement.where(API_KEYS.c.name.icontains(query.search, autoescape=True))
    if query.states is not None:
        statement = statement.where(or_(*(_STATES[state] for state in query.states)))
    ordering = Ordering(f"apikey.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement), ordering


async def api_keys_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """Keys by id: everybody's, or one's own and those for the organisation one governs."""
    found = await session.execute(
        select(API_KEYS).where(among(API_KEYS.c.id, ids), _visible(reach))
    )
    return {row.id: row for row in found}


def _visible(reach: Reach) -> ColumnElement[bool]:
    if reach.everybody:
        return true()
    own = API_KEYS.c.user_id == reach.user
    if reach.organization is None:
        return own
    return or_(own, API_KEYS.c.organization_id == reach.organization)


async def api_key_by_id(session: AsyncSession, id: uuid.UUID, *, reach: Reach) -> Row | None:
    """A key, when it is in reach."""
    return (await api_keys_by_id(session, [id], reach)).get(id)


async def lock_peppers(session: AsyncSession) -> None:
    """Held to the end of the transaction, so that two first starts make one pepper."""
    await session.execute(_LOCK)


async def newest_pepper(session: AsyncSession) -> Row | None:
    found = await session.execute(select(_PEPPERS).order_by(_PEPPERS.c.id.desc()).limit(1))
    return found.first()


async def pepper_by_id(session: AsyncSession, id: uuid.UUID) -> Row | None:
    return (await session.execute(select(_PEPPERS).where(_PEPPERS.c.id == id))).one_or_none()


async def add_pepper(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(_PEPPERS).values(**values))


async def add_api_key(session: AsyncSession, values: Mapping[str, Any]) -> Row:
    found = await session.execute(insert(API_KEYS).values(**values).returning(*API_KEYS.c))
    return found.one()


async def locked_api_key(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A key that nobody else changes before this transaction ends."""
    found = await session.execute(select(API_KEYS).where(API_KEYS.c.id == id).with_for_update())
    return found.one_or_none()


async def api_key_by_public_id(session: AsyncSession, public_id: str) -> Row | None:
    found = await session.execute(select(API_KEYS).where(API_KEYS.c.public_id == public_id))
    return found.one_or_none()


async def change_api_key(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    found = await session.execute(
        update(API_KEYS).where(API_KEYS.c.id == id).values(**values).returning(*API_KEYS.c)
    )
    return found.one()


async def api_keys_of_installation(session: AsyncSession) -> list[Row]:
    """Every key with its person's name, newest first; for the operator's command line."""
    found = await session.execute(
        select(*API_KEYS.c, _USERS.c.name.label("user_name"))
        .join_from(API_KEYS, _USERS, API_KEYS.c.user_id == _USERS.c.id)
        .order_by(API_KEYS.c.id.desc())
    )
    return list(found)


_IDENTITY = (
    API_KEYS.c.id,
    API_KEYS.c.hash,
    API_KEYS.c.pepper_id,
    API_KEYS.c.previous_hash,
    API_KEYS.c.previous_pepper_id,
    API_KEYS.c.previous_until,
    API_KEYS.c.creator_key_id,
    API_KEYS.c.organization_id.label("key_organization_id"),
    API_KEYS.c.scopes,
    API_KEYS.c.allowed_models,
    API_KEYS.c.cache_seconds,
    API_KEYS.c.limits,
    API_KEYS.c.expires_at,
    API_KEYS.c.revoked_at,
    API_KEYS.c.user_id,
)


async def identity_by_public_id(session: AsyncSession, public_id: str) -> Row | None:
    """All that makes a key a principal: the key, its person, their role there and settings."""
    organization = func.coalesce(API_KEYS.c.organization_id, _MEMBERSHIPS.c.organization_id)
    found = await session.execute(
        select(
            *_IDENTITY,
            organization.label("organization_id"),
            _USERS.c.limits.label("user_limits"),
            _ORGANIZATIONS.c.limits.label("organization_limits"),
            _USERS.c.role,
            _USERS.c.enabled,
            _USERS.c.issuer,
            func.coalesce(_USERS.c.last_seen_at, _USERS.c.created_at).label("seen_at"),
            _MEMBERSHIPS.c.role.label("organization_role"),
            _SETTINGS.c.power_level,
        )
        .join_from(API_KEYS, _USERS, API_KEYS.c.user_id == _USERS.c.id)
        .outerjoin(
            _MEMBERSHIPS,
            (_MEMBERSHIPS.c.user_id == API_KEYS.c.user_id)
            & (
                (_MEMBERSHIPS.c.organization_id == API_KEYS.c.organization_id)
                | API_KEYS.c.organization_id.is_(None)
            ),
        )
        .outerjoin(_SETTINGS, _SETTINGS.c.user_id == API_KEYS.c.user_id)
        .outerjoin(_ORGANIZATIONS, _ORGANIZATIONS.c.id == organization)
        .where(API_KEYS.c.public_id == public_id)
        .order_by(_MEMBERSHIPS.c.created_at)
        .limit(1)
    )
    return found.one_or_none()


async def keys_above(session: AsyncSession, id: uuid.UUID) -> list[Row]:
    """A key and those it descends from: what bounds a key that was made with it."""
    columns = API_KEYS.c
    bounds = (
        columns.id,
        columns.scopes,
        columns.allowed_models,
        columns.expires_at,
        columns.limits,
    )
    line = (
        select(*bounds, API_KEYS.c.creator_key_id)
        .where(API_KEYS.c.id == id)
        .cte("line", recursive=True)
    )
    above = select(*bounds, API_KEYS.c.creator_key_id).join(
        line, API_KEYS.c.id == line.c.creator_key_id
    )
    return list(await session.execute(select(line.union(above))))
