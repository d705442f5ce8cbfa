"""What the rows of a key make of its caller."""

import uuid
from collections.abc import Sequence
from typing import Any

from db.keyset import Row
from db.queries.apikey import identity_by_public_id, keys_above
from db.session import AsyncSession
from domain.limits import UNLIMITED, Limited, LimitOwner, limits_of
from domain.principal import MemberRole, Principal, Role, Scope


def has_left(row: Row) -> bool:
    """Whether the key is for an organisation that its person is no longer in."""
    bound = row.key_organization_id is not None and row.organization_role is None
    return bound and row.role != Role.ADMIN


def principal_of(row: Row, ancestors: Sequence[Row]) -> Principal:
    """The key's own rights within those of the keys it descends from."""
    line = (row, *ancestors)
    models = [frozenset(key.allowed_models) for key in line if key.allowed_models is not None]
    ends = [key.expires_at.timestamp() for key in line if key.expires_at is not None]
    return Principal(
        user_id=row.user_id,
        role=Role(row.role),
        scopes=frozenset.intersection(*(frozenset(map(Scope, key.scopes)) for key in line)),
        organization_id=row.organization_id,
        organization_role=MemberRole(row.organization_role) if row.organization_role else None,
        api_key_id=row.id,
        allowed_models=frozenset.intersection(*models) if models else None,
        power_level=row.power_level,
        expires_at=min(ends, default=None),
        paying_organization_id=row.key_organization_id,
        limits=_limits(row, line),
        cache_seconds=row.cache_seconds,
    )


def _limits(row: Row, line: Sequence[Row]) -> tuple[Limited, ...]:
    """A key spends from the limits of the keys it descends from as well."""
    return limits_that_are_any(
        *((LimitOwner.API_KEY, key.id, key.limits) for key in line),
        (LimitOwner.USER, row.user_id, row.user_limits),
        (LimitOwner.ORGANIZATION, row.organization_id, row.organization_limits),
    )


def limits_that_are_any(
    *kept: tuple[LimitOwner, uuid.UUID, dict[str, Any] | None],
) -> tuple[Limited, ...]:
    """Of owners, with what is stored of each one's limits, those that have some."""
    found = (Limited(kind, id, limits_of(limits)) for kind, id, limits in kept if limits)
    return tuple(each for each in found if each.limits != UNLIMITED)


async def identity_of(session: AsyncSession, public_id: str) -> tuple[Row, list[Row]] | None:
    """A key with all that makes it a principal, and the keys it descends from."""
    row = await identity_by_public_id(session, public_id)
    if row is None:
        return None
    above = row.creator_key_id
    return row, [] if above is None else await keys_above(session, above)
