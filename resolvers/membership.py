"""What we do when asked to put people into organisations and to take them out."""

from functools import partial
from operator import attrgetter

import strawberry

from auth.policies import Policy
from db.queries.membership import membership_of
from domain.idempotency import once
from domain.membership import add_member, remove_member, update_member
from schema.context import Info
from schema.fields import mutation_field
from schema.idempotency import key_of_input
from schema.membership import (
    AddMemberInput,
    AddMemberPayload,
    AddMemberResult,
    Membership,
    RemoveMemberInput,
    RemoveMemberPayload,
    RemoveMemberResult,
    UpdateMemberInput,
    UpdateMemberPayload,
    UpdateMemberResult,
)
from schema.node import global_id, key_of


@strawberry.type
class MembershipMutation:
    @mutation_field(
        Policy.ADMIN,
        description="Put a person into an organisation by hand.",
        graphql_type=AddMemberResult,
    )
    async def add_member(self, info: Info, input: AddMemberInput) -> AddMemberPayload:
        organization, user = key_of("Organization", input.organization), key_of("User", input.user)
        key = key_of_input(info, input)
        async with info.context.change() as session:
            row, _ = await once(
                session,
                key,
                partial(add_member, session, organization, user, input.role),
                partial(membership_of, session, organization),
                id_of=attrgetter("user_id"),
            )
        return AddMemberPayload(membership=Membership.of(row))

    @mutation_field(
        Policy.ORG_ADMIN,
        description="Give a member of the organisation that the caller governs another role.",
        graphql_type=UpdateMemberResult,
    )
    async def update_member(self, info: Info, input: UpdateMemberInput) -> UpdateMemberPayload:
        organization, user = key_of("Organization", input.organization), key_of("User", input.user)
        async with info.context.change() as session:
            row = await update_member(session, info.context.caller, organization, user, input.role)
        return UpdateMemberPayload(membership=Membership.of(row))

    @mutation_field(
        Policy.ORG_ADMIN,
        description="Take a person out of the organisation that the caller governs; keys that they"
        " made for it stop within seconds.",
        graphql_type=RemoveMemberResult,
    )
    async def remove_member(self, info: Info, input: RemoveMemberInput) -> RemoveMemberPayload:
        organization, user = key_of("Organization", input.organization), key_of("User", input.user)
        async with info.context.change() as session:
            await remove_member(session, info.context.caller, organization, user)
        return RemoveMemberPayload(
            organization_id=global_id("Organization", organization), user_id=global_id("User", user)
        )
