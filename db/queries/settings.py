"""Reads and writes of what people chose for themselves."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table, func, select
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


async def change_settings(
    session: AsyncSession, user_id: uuid.UUID, values: Mapping[str, Any]
) -> Row:
    """Set columns of a person's settings, which are made when there are none."""
    statement = insert(_SETTINGS).values(user_id=user_id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["user_id"], set_={**values, "updated_at": func.now()}
    )
    return (await session.execute(statement.returning(*_SETTINGS.c))).one()
