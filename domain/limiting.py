"""The rules of limits: one's own keys', and for administrators people's and organisations'."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from db.keyset import Row
from db.queries import apikey, organization, user
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.errors import NotFound
from domain.limits import LimitOwner, Limits, checked, kept_of, limits_of, within
from domain.principal import Principal

_OBJECTS: Mapping[LimitOwner, AuditObject] = {
    LimitOwner.API_KEY: AuditObject.API_KEY,
    LimitOwner.USER: AuditObject.USER,
    LimitOwner.ORGANIZATION: AuditObject.ORGANIZATION,
}


async def set_limits(
    session: AsyncSession,
    caller: Principal,
    kind: LimitOwner,
    id: uuid.UUID,
    patch: Mapping[str, int | None],
) -> Limits:
    """Set what `patch` names, None lifts it. Raises InvalidInput, or NotFound for others' things.

    What a key that has limits changes of its person's keys stays within them.
    """
    before = await _locked(session, caller, kind, id)
    held = limits_of(before.limits)
    limits = checked(msgspec.structs.replace(held, **patch))
    if kind is LimitOwner.API_KEY:
        within(limits, caller.key_limits)
    values = {"limits": {**before.limits, **_written(limits)}}
    match kind:
        case LimitOwner.API_KEY:
            after = await apikey.change_api_key(session, id, values)
        case LimitOwner.USER:
            after = await user.change_user(session, id, values)
        case LimitOwner.ORGANIZATION:
            after = await organization.change_organization(session, id, values)
    await record(
        session,
        AuditAction.UPDATE,
        _OBJECTS[kind],
        id,
        before={"limits": before.limits},
        after={"limits": after.limits},
    )
    return limits_of(after.limits)


def _written(limits: Limits) -> dict[str, Any]:
    """Lifted ones as null, so that they take the place of what was there."""
    return {**dict.fromkeys(limits.__struct_fields__), **kept_of(limits)}


async def _locked(session: AsyncSession, caller: Principal, kind: LimitOwner, id: uuid.UUID) -> Row:
    row = None
    if kind is LimitOwner.API_KEY:
        row = await apikey.locked_api_key(session, id)
        if row is not None and not (caller.is_admin or row.user_id == caller.user_id):
            row = None
    elif caller.is_admin and kind is LimitOwner.USER:
        row = await user.locked_user(session, id)
    elif caller.is_admin:
        row = await organization.locked_organization(session, id)
    if row is None:
        raise NotFound("There is nothing of this id whose limits you may set.")
    return row
