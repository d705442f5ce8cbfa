"""What we do when asked about organisations."""

from functools import partial

import strawberry

from auth.policies import Policy
from db.queries.organization import organization_by_id, organization_by_slug
from domain.idempotency import once
from domain.organization import create_organization, delete_organization, update_organization
from schema.context import Info
from schema.fields import mutation_field, query_field
from schema.idempotency import key_of_input
from schema.inputs import given
from schema.node import global_id, key_of
from schema.organization import (
    ORGANIZATIONS,
    Organization,
    OrganizationFilter,
    OrganizationOrder,
    organizations_asked,
)
from schema.organization_change import (
    CreateOrganizationInput,
    CreateOrganizationPayload,
    CreateOrganizationResult,
    DeleteOrganizationInput,
    DeleteOrganizationPayload,
    DeleteOrganizationResult,
    UpdateOrganizationInput,
    UpdateOrganizationPayload,
    UpdateOrganizationResult,
)
from schema.pagination import After, Before, Connection, First, Last, PageArguments


@strawberry.type
class OrganizationQuery:
    @query_field(
        Policy.ADMIN,
        description="Every organisation, by slug; one's own are in `viewer.memberships`.",
        graphql_type=Connection[Organization],
        size=20,
    )
    async def organizations(
        self,
        info: Info,
        filter: OrganizationFilter | None = None,
        order_by: OrganizationOrder | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Organization]:
        asked = organizations_asked(filter, order_by)
        arguments = PageArguments(first, after, last, before)
        return await ORGANIZATIONS.whole(info.context, asked, arguments)

    @query_field(
        Policy.SELF,
        description="The organisation with this slug: one that the caller is in, and for"
        " administrators any.",
        graphql_type=Organization | None,
    )
    async def organization(self, info: Info, slug: str) -> Organization | None:
        async with info.context.read() as session:
            row = await organization_by_slug(session, slug, info.context.caller)
        return None if row is None else Organization.of(row)


@strawberry.type
class OrganizationMutation:
    @mutation_field(
        Policy.ADMIN, description="Make an organisation.", graphql_type=CreateOrganizationResult
    )
    async def create_organization(
        self, info: Info, input: CreateOrganizationInput
    ) -> CreateOrganizationPayload:
        name = input.slug if input.name is None else input.name
        values, key = {"slug": input.slug, "name": name}, key_of_input(info, input)
        async with info.context.change() as session:
            row, _ = await once(
                session,
                key,
                partial(create_organization, session, values),
                partial(organization_by_id, session),
            )
        return CreateOrganizationPayload(organization=Organization.of(row))

    @mutation_field(
        Policy.ADMIN, description="Change an organisation.", graphql_type=UpdateOrganizationResult
    )
    async def update_organization(
        self, info: Info, input: UpdateOrganizationInput
    ) -> UpdateOrganizationPayload:
        id, patch = key_of("Organization", input.id), given(input, "slug", "name")
        async with info.context.change() as session:
            row = await update_organization(session, id, input.expected_version, patch)
        return UpdateOrganizationPayload(organization=Organization.of(row))

    @mutation_field(
        Policy.ADMIN,
        description="Delete an organisation and its memberships. Refused, with the list, while keys"
        " or rules belong to it, unless forced.",
        graphql_type=DeleteOrganizationResult,
    )
    async def delete_organization(
        self, info: Info, input: DeleteOrganizationInput
    ) -> DeleteOrganizationPayload:
        id = key_of("Organization", input.id)
        async with info.context.change() as session:
            await delete_organization(session, id, force=input.force)
        return DeleteOrganizationPayload(deleted_id=global_id("Organization", id))
