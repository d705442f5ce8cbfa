"""Who may see or do what, as data: the schema, the data plane and the tests read the same table."""

from enum import StrEnum

from domain.principal import MemberRole, Principal, Role, Scope


class Policy(StrEnum):
    """Who a field or a route is for. SELF and ORG_* fields also filter by owner in their query."""

    PUBLIC = "PUBLIC"
    SIGNED_IN = "SIGNED_IN"
    SELF = "SELF"
    ORG_MEMBER = "ORG_MEMBER"
    ORG_ADMIN = "ORG_ADMIN"
    ADMIN = "ADMIN"


def allows(policy: Policy, scope: Scope, principal: Principal | None) -> bool:
    """Whether `principal` may use something of `policy` that needs `scope`."""
    if policy is Policy.PUBLIC:
        return True
    if principal is None or scope not in principal.scopes:
        return False
    match policy:
        case Policy.SIGNED_IN | Policy.SELF:
            return True
        case Policy.ORG_MEMBER:
            return principal.organization_id is not None or principal.role is Role.ADMIN
        case Policy.ORG_ADMIN:
            return principal.organization_role is MemberRole.ADMIN or principal.role is Role.ADMIN
        case Policy.ADMIN:
            return principal.role is Role.ADMIN
    return False
