"""Reads and writes of people."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, func, insert, or_, select, text, true, update

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.user import Membership, Organization, User, UserSettings
from db.queries.usage import Reach
from db.session import AsyncSession

USERS: Table = User.metadata.tables[User.__tablename__]
_MEMBERSHIPS: Table = Membership.metadata.tables[Membership.__tablename__]
_SETTINGS: Table = UserSettings.metadata.tables[UserSettings.__tablename__]
_ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(5023170031)")

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "NAME": (Key(USERS.c.name, str), Key(USERS.c.id, uuid.UUID)),
    "CREATED": (Key(USERS.c.id, uuid.UUID),),
}


@dataclass(frozen=True, slots=True)
class UserQuery:
    """None means any; `search` is looked for in name and address, whatever the case."""

    search: str | None = None
    roles: tuple[str, ...] | None = None
    enabled: bool | None = None
    organization: uuid.UUID | None = None
    order: str = "NAME"
    descending: bool = False


def users(query: UserQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes."""
    statement = select(USERS)
    if query.search:
        found = [
            column.icontains(query.search, autoescape=True)
            for column in (USERS.c.name, USERS.c.email)
        ]
        statement = statement.where(or_(*found))
    if query.roles is not None:
        statement = statement.where(USERS.c.role.in_(query.roles))
    if query.enabled is not None:
        statement = statement.where(USERS.c.enabled == query.enabled)
    if query.organization is not None:
        statement = statement.where(_member_of(query.organization))
    ordering = Ordering(f"user.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement), ordering


def _member_of(organization_id: uuid.UUID) -> ColumnElement[bool]:
    return (
        select(_MEMBERSHIPS.c.user_id)
        .where(
            _MEMBERSHIPS.c.user_id == USERS.c.id,
            _MEMBERSHIPS.c.organization_id == organization_id,
        )
        .exists()
    )


def _visible(reach: Reach) -> ColumnElement[bool]:
    if reach.everybody:
        return true()
    own = USERS.c.id == reach.user
    if reach.organization is None:
        return own
    return or_(own, _member_of(reach.organization))


async def users_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], reach: Reach
) -> dict[uuid.UUID, Row]:
    """People by key: everybody, or oneself and the members of the organisation one governs."""
    found = await session.execute(select(USERS).where(among(USERS.c.id, ids), _visible(reach)))
    return {row.id: row for row in found}


async def lock_subject(session: AsyncSession, issuer: str, subject: str) -> None:
    """Held to the end of the transaction: a person's first two sign-ins make them once."""
    name = func.hashtextextended(f"{issuer}\n{subject}", 5023170032)
    await session.execute(select(func.pg_advisory_xact_lock(name)))


async def user_by_subject(session: AsyncSession, issuer: str, subject: str) -> Row | None:
    found = await session.execute(
        select(USERS).where(USERS.c.issuer == issuer, USERS.c.subject == subject)
    )
    return found.one_or_none()


async def see_user(session: AsyncSession, id: uuid.UUID, token_at: datetime) -> None:
    """A newer token of a person's was taken now."""
    await session.execute(
        update(USERS)
        .where(USERS.c.id == id)
        .values(token_at=token_at, last_seen_at=func.now(), updated_at=USERS.c.updated_at)
    )


async def identity_of_subject(
    session: AsyncSession, *, issuer: str, subject: str
) -> tuple[Row, list[Row]] | None:
    """All that makes a token a principal: the person, and their memberships, the oldest first."""
    found = await session.execute(
        select(USERS.c.id, USERS.c.role, USERS.c.enabled, USERS.c.limits, _SETTINGS.c.power_level)
        .outerjoin_from(USERS, _SETTINGS, _SETTINGS.c.user_id == USERS.c.id)
        .where(USERS.c.issuer == issuer, USERS.c.subject == subject)
    )
    user = found.one_or_none()
    if user is None:
        return None
    member = await session.execute(
        select(
            _MEMBERSHIPS.c.organization_id,
            _MEMBERSHIPS.c.role,
            _ORGANIZATIONS.c.slug,
            _ORGANIZATIONS.c.limits,
        )
        .join(_ORGANIZATIONS, _ORGANIZATIONS.c.id == _MEMBERSHIPS.c.organization_id)
        .where(_MEMBERSHIPS.c.user_id == user.id)
        .order_by(_MEMBERSHIPS.c.created_at, _MEMBERSHIPS.c.organization_id)
    )
    return user, list(member)


async def user_by_id(session: AsyncSession, id: uuid.UUID) -> Row | None:
    found = await session.execute(select(USERS).where(USERS.c.id == id))
    return found.one_or_none()


async def locked_user(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A person whom nobody else changes before this transaction ends."""
    found = await session.execute(select(USERS).where(USERS.c.id == id).with_for_update())
    return found.one_or_none()


async def add_user(session: AsyncSession, values: Mapping[str, Any]) -> Row:
    found = await session.execute(insert(USERS).values(**values).returning(*USERS.c))
    return found.one()


async def change_user(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    """Set columns and count the version up."""
    statement = (
        update(USERS)
        .where(USERS.c.id == id)
        .values(version=USERS.c.version + 1, updated_at=func.now(), **values)
        .returning(*USERS.c)
    )
    return (await session.execute(statement)).one()


async def lock_administrators(session: AsyncSession) -> None:
    """Held to the end of the transaction: nobody else takes an administrator away meanwhile."""
    await session.execute(_LOCK)


async def other_administrators(session: AsyncSession, id: uuid.UUID) -> int:
    """How many enabled administrators there are besides this person."""
    counted = select(func.count()).where(USERS.c.role == "ADMIN", USERS.c.enabled, USERS.c.id != id)
    return await session.scalar(counted) or 0


async def person_with_memberships(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """(id, power_level, organization_ids) of a person; their own level is None when not chosen."""
    joined = _MEMBERSHIPS.c.organization_id
    found = await session.execute(
        select(
            USERS.c.id,
            _SETTINGS.c.power_level,
            func.array_remove(func.array_agg(joined), None).label("organization_ids"),
        )
        .outerjoin(_SETTINGS, _SETTINGS.c.user_id == USERS.c.id)
        .outerjoin(_MEMBERSHIPS, _MEMBERSHIPS.c.user_id == USERS.c.id)
        .where(USERS.c.id == id)
        .group_by(USERS.c.id, _SETTINGS.c.power_level)
    )
    return found.one_or_none()
