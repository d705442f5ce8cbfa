"""Documents about people and organisations, and a small town of them."""

import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete

from db.models.user import Membership
from domain.principal import MemberRole, Principal, Role
from schema.node import global_id
from tests.resolvers.conftest import GraphQL, make_principal

ERROR = "__typename ... on Error { code message }"
FIELD = "... on InvalidInputError { field }"
MEMBERS = """
query ($slug: String!, $filter: MemberFilter) {
  organization(slug: $slug) {
    slug members(filter: $filter) { totalCount nodes { role origin user { name } } }
  }
}
"""
PAYLOADS = {
    "createUser": "CreateUserPayload { user { id name email role enabled issuer version } }",
    "updateUser": "UpdateUserPayload { user { id name email role enabled version } }",
    "createOrganization": "CreateOrganizationPayload { organization { id slug name version } }",
    "updateOrganization": "UpdateOrganizationPayload { organization { id slug name version } }",
    "deleteOrganization": "DeleteOrganizationPayload { deletedId }",
    "addMember": "AddMemberPayload { membership { role origin user { name } } }",
    "updateMember": "UpdateMemberPayload { membership { role } }",
    "removeMember": "RemoveMemberPayload { organizationId userId }",
}
REFERENCES = "... on ConflictError { references }"


def document(name: str) -> str:
    """A mutation that tells everything it may answer."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    field = FIELD if name.startswith(("create", "update")) and "Member" not in name else ""
    return (
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{"
        f" {ERROR} {field} {REFERENCES} ... on {PAYLOADS[name]} }} }}"
    )


async def do(graphql: GraphQL, caller: Principal | None, mutation: str, /, **input: Any) -> Any:
    """A mutation's answer."""
    return (await graphql.data(document(mutation), caller, input=input))[mutation]


@dataclass(frozen=True)
class Town:
    """`boss` governs an organisation in which `worker` is; `other` is in another one."""

    boss: Principal
    worker: Principal
    other: Principal

    @property
    def place(self) -> str:
        return organization(self.boss.organization_id)


def organization(id: uuid.UUID | None) -> str:
    assert id is not None
    return global_id("Organization", id)


def person(principal: Principal) -> str:
    return global_id("User", principal.user_id)


async def join(
    graphql: GraphQL, who: Principal, where: uuid.UUID | None, role: str, origin: str = "MANUAL"
) -> None:
    """Put somebody somewhere without asking."""
    row = Membership(organization_id=where, user_id=who.user_id, role=role, origin=origin)
    async with graphql.database.write(None) as session:
        session.add(row)


async def leave(graphql: GraphQL, who: Principal, where: uuid.UUID | None) -> None:
    """Take somebody out without asking."""
    gone = delete(Membership).where(
        Membership.organization_id == where, Membership.user_id == who.user_id
    )
    async with graphql.database.write(None) as session:
        await session.execute(gone)


async def build_town(graphql: GraphQL) -> Town:
    boss = await make_principal(graphql.database, Role.USER, "bea")
    worker = await make_principal(graphql.database, Role.USER, "wim")
    other = await make_principal(graphql.database, Role.USER, "otto")
    for who in (boss, worker, other):
        await leave(graphql, who, who.organization_id)
    await join(graphql, boss, boss.organization_id, "ADMIN")
    await join(graphql, worker, boss.organization_id, "MEMBER")
    await join(graphql, other, other.organization_id, "ADMIN")
    return Town(
        boss=replace(boss, organization_role=MemberRole.ADMIN),
        worker=replace(worker, organization_id=boss.organization_id),
        other=replace(other, organization_role=MemberRole.ADMIN),
    )
