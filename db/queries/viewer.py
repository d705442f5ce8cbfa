"""Reads people and organisations, as far as a caller may see them."""

import uuid
from collections.abc import Iterable

from sqlalchemy import Table, select, true

from db.batch import among
from db.keyset import Row
from db.models.user import Organization, User
from db.session import AsyncSession, Caller

_USERS: Table = User.metadata.tables[User.__tablename__]
_ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]


async def users_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], caller: Caller
) -> dict[uuid.UUID, Row]:
    """People by key: everybody for an administrator, else the caller alone."""
    visible = true() if caller.role == "ADMIN" else _USERS.c.id == caller.user_id
    found = await session.execute(select(_USERS).where(among(_USERS.c.id, ids), visible))
    return {row.id: row for row in found}


async def organizations_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], caller: Caller
) -> dict[uuid.UUID, Row]:
    """Organisations by key: every one for an administrator, else the caller's own."""
    own = _ORGANIZATIONS.c.id == caller.organization_id
    visible = true() if caller.role == "ADMIN" else own
    found = await session.execute(
        select(_ORGANIZATIONS).where(among(_ORGANIZATIONS.c.id, ids), visible)
    )
    return {row.id: row for row in found}
