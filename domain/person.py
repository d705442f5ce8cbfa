"""For whom a question is answered: the caller, or somebody an administrator asks about."""

import uuid
from dataclasses import dataclass

from db.queries.organization import organizations_by_id
from db.queries.user import person_with_memberships
from db.session import AsyncSession
from domain.errors import NotFound
from domain.principal import Principal
from domain.ruleset import PowerLevel

NOBODY = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Person:
    """As far as routing looks at a caller; NOBODY is a member without anything of their own.

    `organization_pays`: as with a key that belongs to it, so that its wallet is looked at.
    """

    user_id: uuid.UUID
    organization_id: uuid.UUID | None
    level: PowerLevel | None
    allowed_models: frozenset[str] | None
    organization_pays: bool = False


def themselves(caller: Principal) -> Person:
    return Person(
        caller.user_id,
        caller.organization_id,
        None if caller.power_level is None else PowerLevel(caller.power_level),
        caller.allowed_models,
        caller.payer_id != caller.user_id,
    )


async def person_of(
    session: AsyncSession,
    caller: Principal,
    user_id: uuid.UUID | None,
    organization_id: uuid.UUID | None,
) -> Person:
    """Whom the ids mean. Only administrators may ask about others: to everybody else they are not
    there (NotFound). A person alone counts for their organisation when they are in just one."""
    own_user = user_id in (None, caller.user_id)
    own_organization = organization_id in (None, caller.organization_id)
    if own_user and own_organization:
        return themselves(caller)
    if not caller.is_admin:
        raise NotFound(f"There is no such {'organization' if own_user else 'user'}.")
    if user_id is None and organization_id is not None:
        if organization_id not in await organizations_by_id(session, [organization_id], caller):
            raise NotFound("There is no such organization.")
        return Person(NOBODY, organization_id, None, None, organization_pays=True)
    user_id = user_id or caller.user_id
    row = await person_with_memberships(session, user_id)
    if row is None:
        raise NotFound("There is no such user.")
    organization_pays = organization_id is not None
    if organization_id is None:
        organization_id = row.organization_ids[0] if len(row.organization_ids) == 1 else None
    elif organization_id not in row.organization_ids:
        raise NotFound("This user is no member of that organization.")
    level = None if row.power_level is None else PowerLevel(row.power_level)
    return Person(user_id, organization_id, level, None, organization_pays)
