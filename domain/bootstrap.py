"""The first start: one organisation, one built-in administrator."""

import uuid

from uuid_utils.compat import uuid7

from db.queries import bootstrap as queries
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.errors import NotFound
from domain.principal import Role


async def bootstrap(session: AsyncSession) -> bool:
    """Make the built-in administrator unless there is one; True when it was made now."""
    await queries.lock_bootstrap(session)
    if await queries.builtin_administrator(session) is not None:
        return False
    user_id, organization_id = uuid7(), uuid7()
    await queries.add_builtin_administrator(
        session, user_id=user_id, organization_id=organization_id
    )
    made = {"organization_id": organization_id, "role": Role.ADMIN}
    await record(session, AuditAction.CREATE, AuditObject.USER, user_id, after=made)
    return True


async def administrator(session: AsyncSession) -> tuple[uuid.UUID, uuid.UUID | None]:
    """(user, oldest organisation) of the built-in administrator. Raises NotFound before any."""
    found = await queries.builtin_administrator(session)
    if found is None:
        raise NotFound("There is no administrator yet: start Fairlead once with `serve`.")
    return found
