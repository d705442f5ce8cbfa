"""The rules of what people choose for themselves."""

from db.keyset import Row
from db.queries import settings as queries
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.principal import Principal
from domain.ruleset import PowerLevel


async def set_power_level(session: AsyncSession, caller: Principal, level: PowerLevel) -> Row:
    """The caller's own level, for requests that name none."""
    id = caller.user_id
    before = (await queries.settings_by_user(session, [id])).get(id)
    row = await queries.set_power_level(session, id, level)
    await record(session, AuditAction.UPDATE, AuditObject.USER, id, before=before, after=row)
    return row
