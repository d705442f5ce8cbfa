"""Reads and writes the settings of the whole installation."""

from typing import Any

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.keyset import Row
from db.models.installation import InstallationSetting
from db.session import AsyncSession

_SETTINGS: Table = InstallationSetting.metadata.tables[InstallationSetting.__tablename__]


async def setting(session: AsyncSession, name: str) -> Row | None:
    """The row, None where the defaults apply."""
    return (await session.execute(select(_SETTINGS).where(_SETTINGS.c.name == name))).one_or_none()


async def locked_setting(session: AsyncSession, name: str) -> Row:
    """A row that nobody else changes before this transaction ends; an empty one where none was."""
    values = {"name": name, "body": {}}
    await session.execute(insert(_SETTINGS).values(**values).on_conflict_do_nothing())
    found = await session.execute(
        select(_SETTINGS).where(_SETTINGS.c.name == name).with_for_update()
    )
    return found.one()


async def change_setting(session: AsyncSession, name: str, body: dict[str, Any]) -> Row:
    """With a version one higher than before."""
    statement = update(_SETTINGS).where(_SETTINGS.c.name == name)
    values = {"body": body, "version": _SETTINGS.c.version + 1, "updated_at": func.now()}
    return (await session.execute(statement.values(**values).returning(*_SETTINGS.c))).one()
