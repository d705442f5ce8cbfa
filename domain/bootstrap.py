"""The first start: one organisation, one built-in administrator."""

import uuid

from uuid_utils.compat import uuid7

from db.queries import bootstrap as queries
from db.session import AsyncSession
from domain.errors import NotFound


async def bootstrap(session: AsyncSession) -> bool:
    """Make the built-in administrator unless there is one; True when it was made now."""
    await queries.lock_bootstrap(session)
    if await queries.builtin_administrator(session) is not None:
        return False
    await queries.add_builtin_administrator(session, user_id=uuid7(), organization_id=uuid7())
    return True


async def administrator(session: AsyncSession) -> tuple[uuid.UUID, uuid.UUID]:
    """(user, organisation) of the built-in administrator. Raises NotFound before any."""
    found = await queries.builtin_administrator(session)
    if found is None:
        raise NotFound("There is no administrator yet: start Fairlead once with `serve`.")
    return found
