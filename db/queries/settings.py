"""Reads and writes what people chose for themselves."""

import uuid
from collections.abc import Iterable

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert

from db.batch import among
from db.keyset import Row
from db.models.user import UserSettings
from db.session import AsyncSession

_SETTINGS: Table = UserSettings.metadata.tables[UserSettings.__tablename__]


async def settings_by_user(
    session: AsyncSession, user_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, Row]:
    """Settings by person; absent where the defaults apply."""
    found = await session.execute(select(_SETTINGS).where(among(_SETTINGS.c.user_id, user_ids)))
    return {row.user_id: row for row in found}


async def set_power_level(session: AsyncSession, user_id: uuid.UUID, level: str) -> Row:
    statement = insert(_SETTINGS).values(user_id=user_id, power_level=level)
    statement = statement.on_conflict_do_update(
        index_elements=["user_id"], set_={"power_level": level}
    )
    return (await session.execute(statement.returning(*_SETTINGS.c))).one()
