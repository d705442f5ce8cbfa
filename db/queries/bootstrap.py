"""The first organisation and the built-in administrator of an installation without OpenID."""

import uuid

from sqlalchemy import Table, insert, select, text

from db.models.user import Membership, Organization, User
from db.session import AsyncSession

ISSUER = "fairlead"
SUBJECT = "admin"

_ORGANIZATIONS: Table = Organization.metadata.tables[Organization.__tablename__]
_USERS: Table = User.metadata.tables[User.__tablename__]
_MEMBERSHIPS: Table = Membership.metadata.tables[Membership.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(5023170007)")


async def lock_bootstrap(session: AsyncSession) -> None:
    """Held to the end of the transaction: replicas that start together bootstrap once."""
    await session.execute(_LOCK)


async def builtin_administrator(
    session: AsyncSession,
) -> tuple[uuid.UUID, uuid.UUID | None] | None:
    """(user, oldest organisation) of the built-in administrator, None before the first start."""
    found = await session.execute(
        select(_USERS.c.id, _MEMBERSHIPS.c.organization_id)
        .outerjoin_from(_USERS, _MEMBERSHIPS, _MEMBERSHIPS.c.user_id == _USERS.c.id)
        .where(_USERS.c.issuer == ISSUER, _USERS.c.subject == SUBJECT)
        .order_by(_MEMBERSHIPS.c.created_at)
        .limit(1)
    )
    row = found.first()
    return None if row is None else (row.id, row.organization_id)


async def add_builtin_administrator(
    session: AsyncSession, *, user_id: uuid.UUID, organization_id: uuid.UUID
) -> None:
    """Insert the organisation `default`, the person and the membership that joins them."""
    await session.execute(
        insert(_ORGANIZATIONS).values(id=organization_id, slug="default", name="Default")
    )
    await session.execute(
        insert(_USERS).values(
            id=user_id, issuer=ISSUER, subject=SUBJECT, name="Administrator", role="ADMIN"
        )
    )
    await session.execute(
        insert(_MEMBERSHIPS).values(
            organization_id=organization_id, user_id=user_id, role="ADMIN", origin="MANUAL"
        )
    )
