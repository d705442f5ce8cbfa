"""Organisations and their members: made, changed, deleted, governed by their administrators."""

from typing import Any

import pytest
from sqlalchemy import func, select

from db.models.credential import Credential
from db.models.user import Membership
from domain.principal import Principal
from schema.node import parse_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.people import MEMBERS, Town, build_town, do, join, organization, person

LIST = """
query ($filter: OrganizationFilter, $orderBy: OrganizationOrder) {
  organizations(filter: $filter, orderBy: $orderBy) { totalCount nodes { slug } }
}
"""
KEY = """
mutation { createApiKey(input: {name: "x"}) { ... on CreateApiKeyPayload { apiKey { id } } } }
"""


@pytest.fixture
async def town(graphql: GraphQL) -> Town:
    return await build_town(graphql)


async def listed(graphql: GraphQL, caller: Principal, **variables: Any) -> list[str]:
    data = await graphql.data(LIST, caller, **variables)
    return [node["slug"] for node in data["organizations"]["nodes"]]


async def members(graphql: GraphQL, caller: Principal, slug: str = "bea") -> list[Any] | None:
    found = (await graphql.data(MEMBERS, caller, slug=slug))["organization"]
    if found is None:
        return None
    return [(one["user"]["name"], one["role"], one["origin"]) for one in found["members"]["nodes"]]


async def test_an_organization_is_made_changed_and_deleted(
    graphql: GraphQL, admin: Principal
) -> None:
    made = (await do(graphql, admin, "createOrganization", slug="acme"))["organization"]
    assert (made["slug"], made["name"], made["version"]) == ("acme", "acme", 1)

    again = await do(graphql, admin, "createOrganization", slug="acme")
    assert again["__typename"] == "ConflictError"
    taken = await do(graphql, admin, "updateOrganization", id=made["id"], slug="ada")
    assert taken["__typename"] == "ConflictError"
    wrong = await do(graphql, admin, "updateOrganization", id=made["id"], slug="A b")
    assert (wrong["__typename"], wrong["field"]) == ("InvalidInputError", "slug")
    changed = await do(
        graphql, admin, "updateOrganization", id=made["id"], slug="corp", name="Corp"
    )
    assert changed["organization"] == {**made, "slug": "corp", "name": "Corp", "version": 2}
    stale = await do(
        graphql, admin, "updateOrganization", id=made["id"], expectedVersion=1, name="X"
    )
    assert stale["__typename"] == "ConflictError"

    gone = await do(graphql, admin, "deleteOrganization", id=made["id"])
    assert gone["deletedId"] == made["id"]
    assert (await do(graphql, admin, "deleteOrganization", id=made["id"]))["code"] == "NOT_FOUND"


async def test_the_list_searches_and_orders(graphql: GraphQL, admin: Principal, town: Town) -> None:
    assert await listed(graphql, admin) == ["ada", "bea", "otto", "wim"]
    assert await listed(graphql, admin, filter={"search": "OT"}) == ["otto"]
    falling = {"field": "NAME", "direction": "DESC"}
    assert await listed(graphql, admin, orderBy=falling) == ["wim", "otto", "bea", "ada"]


async def test_what_belongs_to_it_keeps_it_unless_forced(
    graphql: GraphQL, admin: Principal, town: Town, provider: str
) -> None:
    await graphql.data(KEY, town.boss)
    key = parse_id(provider)
    assert key is not None
    async with graphql.database.write(None) as session:
        session.add(
            Credential(
                provider_id=key[1],
                owner_kind="ORGANIZATION",
                owner_id=town.boss.organization_id,
                name="k",
                ciphertext=b"",
                master_key_id="",
                destination="",
                mask="",
                fingerprint="",
            )
        )

    refused = await do(graphql, admin, "deleteOrganization", id=town.place)
    assert refused["__typename"] == "ConflictError"
    assert refused["references"] == ["1 API keys", "1 provider keys"]

    gone = await do(graphql, admin, "deleteOrganization", id=town.place, force=True)
    assert gone["__typename"] == "DeleteOrganizationPayload"
    async with graphql.database.read(None) as session:
        for where in (Credential.owner_id, Membership.organization_id):
            found = await session.scalar(
                select(func.count()).where(where == town.boss.organization_id)
            )
            assert found == 0


async def test_members_are_for_the_organizations_administrators(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    everybody = [("Bea", "ADMIN", "MANUAL"), ("Wim", "MEMBER", "MANUAL")]
    assert await members(graphql, town.boss) == everybody
    assert await members(graphql, admin) == everybody
    assert await members(graphql, town.other) is None
    assert await graphql.codes(MEMBERS, town.worker, slug="bea") == ["FORBIDDEN"]
    found = await graphql.data(MEMBERS, town.boss, slug="bea", filter={"search": "wi"})
    assert found["organization"]["members"]["totalCount"] == 1
    found = await graphql.data(MEMBERS, town.boss, slug="bea", filter={"roles": ["ADMIN"]})
    assert [n["user"]["name"] for n in found["organization"]["members"]["nodes"]] == ["Bea"]


async def test_an_administrator_of_two_sees_only_the_one_they_act_for(
    graphql: GraphQL, town: Town
) -> None:
    await join(graphql, town.boss, town.other.organization_id, "MEMBER")

    assert await members(graphql, town.boss, "otto") == [("Bea", "MEMBER", "MANUAL")]


async def test_a_member_is_added_promoted_and_taken_out(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    who = {"organization": town.place, "user": person(town.other)}

    added = await do(graphql, admin, "addMember", **who)
    assert added["membership"] == {"role": "MEMBER", "origin": "MANUAL", "user": {"name": "Otto"}}
    assert (await do(graphql, admin, "addMember", **who))["__typename"] == "ConflictError"
    promoted = await do(graphql, town.boss, "updateMember", **who, role="ADMIN")
    assert promoted["membership"] == {"role": "ADMIN"}
    removed = await do(graphql, town.boss, "removeMember", **who)
    assert (removed["organizationId"], removed["userId"]) == (who["organization"], who["user"])
    assert (await do(graphql, town.boss, "removeMember", **who))["code"] == "NOT_FOUND"


async def test_nobody_governs_another_organization(graphql: GraphQL, town: Town) -> None:
    foreign = {"organization": organization(town.other.organization_id), "user": person(town.other)}
    nowhere = {"organization": "bm9wZQ==", "user": person(town.other)}

    answers = [
        await do(graphql, town.boss, name, **where, **more)
        for where in (foreign, {**foreign, "user": person(town.boss)})
        for name, more in (("updateMember", {"role": "MEMBER"}), ("removeMember", {}))
    ]
    assert {(one["__typename"], one["message"]) for one in answers} == {
        ("NotFoundError", "There is no such member.")
    }
    assert (await do(graphql, town.boss, "removeMember", **nowhere))["code"] == "NOT_FOUND"
    assert await members(graphql, town.other, "otto") == [("Otto", "ADMIN", "MANUAL")]


async def test_what_a_token_says_is_not_changed_by_hand(
    graphql: GraphQL, admin: Principal, town: Town
) -> None:
    await join(graphql, town.other, town.boss.organization_id, "MEMBER", "TOKEN")
    who = {"organization": town.place, "user": person(town.other)}

    for caller in (admin, town.boss):
        for name, more in (("updateMember", {"role": "ADMIN"}), ("removeMember", {})):
            refused = await do(graphql, caller, name, **who, **more)
            assert refused["__typename"] == "ConflictError"
            assert "identity provider" in refused["message"]
    assert ("Otto", "MEMBER", "TOKEN") in (await members(graphql, admin) or [])
