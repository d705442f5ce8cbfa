"""How long single requests are kept; their sums stay."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from db.queries import installation as settings
from db.queries.retention import drop_partition, partitions_before
from db.session import AsyncSession, Database
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict
from domain.installation import SettingName

MOST_DAYS = 3_650


class Retention(msgspec.Struct, frozen=True):
    """`days`: so many UTC days with today are kept; None: all of them."""

    days: int | None = None


async def retention(session: AsyncSession) -> tuple[Retention, int]:
    """As it is, with its version: 1 while nobody changed it."""
    row = await settings.setting(session, SettingName.USAGE_RETENTION)
    if row is None:
        return Retention(), 1
    return msgspec.convert(row.body, Retention), row.version


async def change_retention(
    session: AsyncSession, days: int | None, expected: int | None
) -> tuple[Retention, int]:
    """Raises InvalidInput, or Conflict when `expected` is not the version."""
    if days is not None:
        checks.between("days", days, 1, MOST_DAYS)
    row = await settings.locked_setting(session, SettingName.USAGE_RETENTION)
    before, after = msgspec.convert(row.body, Retention), Retention(days)
    if expected is not None and expected != row.version:
        raise Conflict(f"The retention is at version {row.version}, not {expected}.")
    if after == before:
        return before, row.version
    changed = await settings.change_setting(
        session, SettingName.USAGE_RETENTION, msgspec.to_builtins(after)
    )
    await record(
        session,
        AuditAction.UPDATE,
        AuditObject.USAGE_RETENTION,
        None,
        before=msgspec.structs.asdict(before),
        after=msgspec.structs.asdict(after),
    )
    return after, changed.version


async def drop_expired(database: Database) -> Sequence[str]:
    """Drop the partitions of days that are not kept, each alone; returns their names."""
    async with database.read(None) as session:
        found, _ = await retention(session)
        if found.days is None:
            return []
        names = await partitions_before(session, first_kept(found.days))
    for name in names:
        async with database.write(None) as session:
            await drop_partition(session, name)
    return names


def first_kept(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days - 1)
