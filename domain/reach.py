"""Whose requests a caller may see: their own, their organisation's as its administrator, or all."""

from typing import Protocol
from uuid import UUID

from db.queries.usage import Reach
from domain.principal import MemberRole, Principal


class Owned(Protocol):
    """A request, as far as its owner goes."""

    @property
    def user_id(self) -> UUID: ...
    @property
    def organization_id(self) -> UUID | None: ...


def reach_of(caller: Principal) -> Reach:
    governs = caller.organization_role is MemberRole.ADMIN
    return Reach(
        everybody=caller.is_admin,
        user=caller.user_id,
        organization=caller.organization_id if governs else None,
    )


def covers(reach: Reach, row: Owned) -> bool:
    """The same rule for one row that is at hand."""
    governed = reach.organization is not None and row.organization_id == reach.organization
    return reach.everybody or row.user_id == reach.user or governed
