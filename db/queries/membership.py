"""Reads and writes of who is in which organisation."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Key, Listed, Ordering, Row
from db.models.user import Membership, Organization, User
from db.queries.usage import Reach
from db.session import AsyncSession

MEMBERSHIPS: Table = Membership.metadata.tables[Membership.__tablename__]
_USERS: Table = User.metadata.tables[User.__tablename__]
_ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """Members by name; `search` is looked for in name and address. None means any."""

    search: str | None = None
    roles: tuple[str, ...] | None = None
    descending: bool = False


def _visible(reach: Reach) -> ColumnElement[bool]:
    if reach.everybody:
        return true()
    own = MEMBERSHIPS.c.user_id == reach.user
    if reach.organization is None:
        return own
    return or_(own, MEMBERSHIPS.c.organization_id == reach.organization)


def members(query: MemberQuery, reach: Reach) -> tuple[Listed, Ordering]:
    """The members of each organisation, of what is in reach."""
    statement = (
        select(MEMBERSHIPS)
        .join(_USERS, _USERS.c.id == MEMBERSHIPS.c.user_id)
        .where(_visible(reach))
    )
    if query.search:
        found = [
            column.icontains(query.search, autoescape=True)
            for column in (_USERS.c.name, _USERS.c.email)
        ]
        statement = statement.where(or_(*found))
    if query.roles is not None:
        statement = statement.where(MEMBERSHIPS.c.role.in_(query.roles))
    keys = (Key(_USERS.c.name, str), Key(_USERS.c.id, uuid.UUID))
    ordering = Ordering("member.NAME", keys, query.descending)
    return Listed(statement, MEMBERSHIPS.c.organization_id), ordering


def memberships(reach: Reach) -> tuple[Listed, Ordering]:
    """The organisations of each person, by slug, of what is in reach."""
    statement = (
        select(MEMBERSHIPS)
        .join(_ORGANIZATIONS, _ORGANIZATIONS.c.id == MEMBERSHIPS.c.organization_id)
        .where(_visible(reach))
    )
    ordering = Ordering("membership.SLUG", (Key(_ORGANIZATIONS.c.slug, str),))
    return Listed(statement, MEMBERSHIPS.c.user_id), ordering


async def membership_of(
    session: AsyncSession, organization_id: uuid.UUID, user_id: uuid.UUID
) -> Row | None:
    """A membership that nobody else changes before this transaction ends."""
    found = await session.execute(
        select(MEMBERSHIPS)
        .where(MEMBERSHIPS.c.organization_id == organization_id, MEMBERSHIPS.c.user_id == user_id)
        .with_for_update()
    )
    return found.one_or_none()


async def memberships_of(session: AsyncSession, user_id: uuid.UUID) -> list[Row]:
    """A person's memberships, the oldest first."""
    found = await session.execute(
        select(MEMBERSHIPS)
        .where(MEMBERSHIPS.c.user_id == user_id)
        .order_by(MEMBERSHIPS.c.created_at, MEMBERSHIPS.c.organization_id)
    )
    return list(found)


async def add_membership(session: AsyncSession, values: Mapping[str, Any]) -> Row | None:
    """Insert a membership, or return None when the person is a member already."""
    statement = insert(MEMBERSHIPS).values(**values).on_conflict_do_nothing()
    return (await session.execute(statement.returning(*MEMBERSHIPS.c))).one_or_none()


async def change_membership(
    session: AsyncSession,
    organization_id: uuid.UUID,
    user_id: uuid.UUID,
    values: Mapping[str, Any],
) -> Row:
    statement = (
        update(MEMBERSHIPS)
        .where(MEMBERSHIPS.c.organization_id == organization_id, MEMBERSHIPS.c.user_id == user_id)
        .values(**values)
        .returning(*MEMBERSHIPS.c)
    )
    return (await session.execute(statement)).one()


async def remove_memberships(
    session: AsyncSession, user_id: uuid.UUID, organization_ids: Iterable[uuid.UUID]
) -> None:
    await session.execute(
        delete(MEMBERSHIPS).where(
            MEMBERSHIPS.c.user_id == user_id,
            MEMBERSHIPS.c.organization_id.in_(list(organization_ids)),
        )
    )
