"""The rules of what people choose for themselves."""

from db.keyset import Row
from db.queries import settings as queries
from db.queries.configuration import record_change
from db.session import AsyncSession
from domain.principal import Principal
from domain.ruleset import PowerLevel


async def set_power_level(session: AsyncSession, caller: Principal, level: PowerLevel) -> Row:
    """The caller's own level, for requests that name none."""
    row = await queries.set_power_level(session, caller.user_id, level)
    await record_change(session, "settings", caller.user_id)
    return row
