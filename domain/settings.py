"""The rules of what people choose for themselves."""

from collections.abc import Mapping
from typing import Any

import msgspec

from db.keyset import Row
from db.queries import settings as queries
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.errors import InvalidInput
from domain.principal import Principal

MOST_BYTES = 4096
"""Of a person's preferences, as JSON."""


async def change_settings(
    session: AsyncSession, caller: Principal, values: Mapping[str, Any]
) -> Row:
    """The caller's own `power_level`, None for the default, and `preferences`, a JSON object."""
    preferences = values.get("preferences", {})
    if not isinstance(preferences, dict):
        raise InvalidInput("preferences", "Give a JSON object.")
    if len(msgspec.json.encode(preferences)) > MOST_BYTES:
        raise InvalidInput("preferences", f"At most {MOST_BYTES} bytes of JSON.")
    id = caller.user_id
    before = (await queries.settings_by_user(session, [id])).get(id)
    row = await queries.change_settings(session, id, values)
    await record(session, AuditAction.UPDATE, AuditObject.USER, id, before=before, after=row)
    return row
