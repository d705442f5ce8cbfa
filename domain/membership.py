"""The rules of who is in which organisation: by a token, which it then follows, or by hand."""

import uuid
from enum import StrEnum

from db.keyset import Row
from db.queries import membership as queries
from db.queries.organization import organization_by_id
from db.queries.user import user_by_id
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, NotFound
from domain.principal import MemberRole, Principal
from domain.reach import reach_of


class MemberOrigin(StrEnum):
    """Where a membership comes from."""

    TOKEN = "TOKEN"
    MANUAL = "MANUAL"


async def add_member(
    session: AsyncSession, organization_id: uuid.UUID, user_id: uuid.UUID, role: MemberRole
) -> Row:
    """A membership that stays until it is taken away by hand."""
    if await organization_by_id(session, organization_id) is None:
        raise NotFound("There is no such organization.")
    if await user_by_id(session, user_id) is None:
        raise NotFound("There is no such user.")
    row = await queries.add_membership(
        session,
        {
            "organization_id": organization_id,
            "user_id": user_id,
            "role": role,
            "origin": MemberOrigin.MANUAL,
        },
    )
    if row is None:
        raise Conflict("This person is a member already.")
    await record(session, AuditAction.CREATE, AuditObject.USER, user_id, after=row)
    return row


async def update_member(
    session: AsyncSession,
    caller: Principal,
    organization_id: uuid.UUID,
    user_id: uuid.UUID,
    role: MemberRole,
) -> Row:
    """Give a member another role in an organisation that the caller governs."""
    before = await _by_hand(session, caller, organization_id, user_id)
    row = await queries.change_membership(session, organization_id, user_id, {"role": role})
    await record(session, AuditAction.UPDATE, AuditObject.USER, user_id, before=before, after=row)
    return row


async def remove_member(
    session: AsyncSession, caller: Principal, organization_id: uuid.UUID, user_id: uuid.UUID
) -> Row:
    """Take a member out of an organisation that the caller governs; keys made for it stop."""
    before = await _by_hand(session, caller, organization_id, user_id)
    await queries.remove_memberships(session, user_id, [organization_id])
    await record(session, AuditAction.DELETE, AuditObject.USER, user_id, before=before)
    return before


async def _by_hand(
    session: AsyncSession, caller: Principal, organization_id: uuid.UUID, user_id: uuid.UUID
) -> Row:
    reach = reach_of(caller)
    governed = reach.everybody or reach.organization == organization_id
    found = await queries.membership_of(session, organization_id, user_id) if governed else None
    if found is None:
        raise NotFound("There is no such member.")
    if found.origin == MemberOrigin.TOKEN:
        raise Conflict(
            "This membership follows the person's sign-in: change their groups at the identity"
            " provider."
        )
    return found
