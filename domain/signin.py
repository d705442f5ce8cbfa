"""People of an identity provider: made at their first sign-in, then following their tokens."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import membership as memberships
from db.queries import organization as organizations
from db.queries import user as users
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.membership import MemberOrigin
from domain.principal import MemberRole, Role

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """What a genuine token says of its person; `groups`: by name, whether they govern there."""

    issuer: str
    subject: str
    name: str
    email: str | None
    role: Role
    groups: Mapping[str, bool]
    issued_at: datetime


async def follow(session: AsyncSession, seen: Seen) -> None:
    """Bring the person, and memberships that came from tokens, up to this token.

    An older token than the last one followed changes nothing: it must not give back what a newer
    one took away.
    """
    await users.lock_subject(session, seen.issuer, seen.subject)
    before = await users.user_by_subject(session, seen.issuer, seen.subject)
    if before is None:
        person = await _first_seen(session, seen)
    elif before.token_at is not None and before.token_at >= seen.issued_at:
        return
    else:
        person = await _seen_again(session, before, seen)
    await _follow_groups(session, person.id, seen)


async def _first_seen(session: AsyncSession, seen: Seen) -> Row:
    row = await users.add_user(
        session,
        {
            "id": uuid7(),
            "issuer": seen.issuer,
            "subject": seen.subject,
            "name": seen.name,
            "email": seen.email,
            "role": seen.role,
            "token_at": seen.issued_at,
            "last_seen_at": datetime.now(UTC),
        },
    )
    await record(session, AuditAction.CREATE, AuditObject.USER, row.id, after=row)
    return row


async def _seen_again(session: AsyncSession, before: Row, seen: Seen) -> Row:
    await users.see_user(session, before.id, seen.issued_at)
    wanted = {"name": seen.name, "email": seen.email, "role": seen.role}
    changed = {name: value for name, value in wanted.items() if getattr(before, name) != value}
    if not changed:
        return before
    row = await users.change_user(session, before.id, changed)
    await record(session, AuditAction.UPDATE, AuditObject.USER, row.id, before=before, after=row)
    return row


async def _follow_groups(session: AsyncSession, user_id: uuid.UUID, seen: Seen) -> None:
    held = {row.organization_id: row for row in await memberships.memberships_of(session, user_id)}
    wanted: dict[uuid.UUID, MemberRole] = {}
    for group, governs in sorted(seen.groups.items()):
        organization = await _organization(session, seen.issuer, group)
        wanted[organization] = MemberRole.ADMIN if governs else MemberRole.MEMBER
    for organization, role in wanted.items():
        await _join(session, user_id, organization, role, held.get(organization))
    gone = [
        key for key, row in held.items() if row.origin == MemberOrigin.TOKEN and key not in wanted
    ]
    if gone:
        await memberships.remove_memberships(session, user_id, gone)
        for key in gone:
            await record(session, AuditAction.DELETE, AuditObject.USER, user_id, before=held[key])


async def _join(
    session: AsyncSession,
    user_id: uuid.UUID,
    organization_id: uuid.UUID,
    role: MemberRole,
    before: Row | None,
) -> None:
    if before is None:
        keys = {"organization_id": organization_id, "user_id": user_id}
        row = await memberships.add_membership(
            session, {**keys, "role": role, "origin": MemberOrigin.TOKEN}
        )
        await record(session, AuditAction.CREATE, AuditObject.USER, user_id, after=row)
    elif before.origin == MemberOrigin.TOKEN and before.role != role:
        row = await memberships.change_membership(session, organization_id, user_id, {"role": role})
        await record(
            session, AuditAction.UPDATE, AuditObject.USER, user_id, before=before, after=row
        )


async def _organization(session: AsyncSession, issuer: str, group: str) -> uuid.UUID:
    """The organisation that follows this group; made when there is none."""
    found = await organizations.organization_of_group(session, issuer, group)
    if found is None:
        await organizations.lock_groups(session)
        found = await organizations.organization_of_group(session, issuer, group)
    if found is not None:
        return found
    name = group.rpartition("/")[2]
    for attempt in range(_TRIES):
        row = await organizations.add_organization(
            session,
            {
                "id": uuid7(),
                "slug": slug_of(name, attempt),
                "name": name[:100],
                "issuer": issuer,
                "group_name": group,
            },
        )
        if row is not None:
            made: uuid.UUID = row.id
            await record(session, AuditAction.CREATE, AuditObject.ORGANIZATION, made, after=row)
            return made
    raise ValueError(f"no slug is left for the group {group}")


def slug_of(name: str, attempt: int) -> str:
    """A slug like the name; from the second attempt on with a mark of its own."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-")
    if plain and not attempt:
        return plain
    mark = hashlib.sha256(f"{name}:{attempt}".encode()).hexdigest()[:6]
    return f"{plain or 'group'}-{mark}"
