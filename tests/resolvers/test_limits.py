"""Limits of keys, people and organisations: who sets them, and how far a key's own reach."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from auth.identity import Authenticator
from auth.secrets import SecretBox
from db.session import Database
from domain.limits import Limited, LimitOwner, Limits
from domain.principal import Principal
from gateway.configuration import RunningConfiguration
from schema.node import global_id, parse_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_apikey import create

SET = """
mutation ($input: SetLimitsInput!) {
  setLimits(input: $input) {
    __typename
    ... on Error { code message }
    ... on InvalidInputError { field }
    ... on SetLimitsPayload { limits { spendPerDay spendPerMonth maxCost } }
  }
}
"""


async def limit(graphql: GraphQL, caller: Principal | None, owner: str, **limits: Any) -> Any:
    input = {"owner": owner, "limits": limits}
    return (await graphql.data(SET, caller, input=input))["setLimits"]


async def test_a_key_carries_its_limits_and_those_of_its_person_and_organisation(
    graphql: GraphQL,
    database: Database,
    cipher: SecretBox,
    configuration: RunningConfiguration,
    admin: Principal,
    user: Principal,
) -> None:
    authenticator = Authenticator(database, cipher)
    configuration.listen(authenticator.forget)
    made = await create(graphql, user, name="app")
    headers = {"authorization": f"Bearer {made['secret']}"}
    before = await authenticator.principal(headers)
    assert before is not None
    assert before.limits == ()
    organization_id = user.organization_id
    assert organization_id is not None

    await limit(graphql, user, made["apiKey"]["id"], maxCost="0.5")
    await limit(graphql, admin, global_id("User", user.user_id), spendPerDay="2")
    await limit(graphql, admin, global_id("Organization", organization_id), spendPerMonth="9")

    found = await authenticator.principal(headers)
    assert found is not None
    assert found.api_key_id is not None
    assert found.limits == (
        Limited(LimitOwner.API_KEY, found.api_key_id, Limits(max_cost=500_000_000)),
        Limited(LimitOwner.USER, user.user_id, Limits(spend_per_day=2_000_000_000)),
        Limited(LimitOwner.ORGANIZATION, organization_id, Limits(spend_per_month=9_000_000_000)),
    )
    assert found.payer_id == organization_id


async def test_what_is_left_out_stays_and_null_lifts(graphql: GraphQL, user: Principal) -> None:
    id = (await create(graphql, user, name="app"))["apiKey"]["id"]

    await limit(graphql, user, id, spendPerDay="1", maxCost="0.1")
    changed = await limit(graphql, user, id, maxCost=None, spendPerMonth="5")

    assert changed["limits"] == {"spendPerDay": "1", "spendPerMonth": "5", "maxCost": None}
    keys = await graphql.data("{ apiKeys { nodes { limits { spendPerDay maxCost } } } }", user)
    assert keys["apiKeys"]["nodes"] == [{"limits": {"spendPerDay": "1", "maxCost": None}}]
    async with graphql.database.read(None) as session:
        told = await session.scalar(
            text("SELECT after FROM audit_log ORDER BY number DESC LIMIT 1")
        )
        kept = await session.scalar(text("SELECT limits FROM api_keys"))
    assert told["limits"]["spend_per_month"] == 5_000_000_000
    assert kept["max_cost"] is None


async def test_a_key_spends_from_the_limits_of_the_key_that_made_it(
    graphql: GraphQL,
    database: Database,
    cipher: SecretBox,
    configuration: RunningConfiguration,
    user: Principal,
) -> None:
    authenticator = Authenticator(database, cipher)
    configuration.listen(authenticator.forget)
    parent = await create(graphql, user, name="parent", scopes=["MANAGE", "INFERENCE"])
    parent_id = parse_id(parent["apiKey"]["id"])
    assert parent_id is not None
    signed_in = replace(user, api_key_id=parent_id[1])
    child = await create(graphql, signed_in, name="child")
    headers = {"authorization": f"Bearer {child['secret']}"}
    assert await authenticator.principal(headers)

    await limit(graphql, user, parent["apiKey"]["id"], spendPerDay="1")

    found = await authenticator.principal(headers)
    assert found is not None
    assert found.limits == (
        Limited(LimitOwner.API_KEY, parent_id[1], Limits(spend_per_day=1_000_000_000)),
    )


async def test_a_limited_key_sets_nothing_beyond_its_own(graphql: GraphQL, user: Principal) -> None:
    key_id = uuid7()
    own = (Limited(LimitOwner.API_KEY, key_id, Limits(spend_per_day=1_000_000_000)),)
    id = (await create(graphql, user, name="another"))["apiKey"]["id"]
    limited = replace(user, api_key_id=key_id, limits=own)

    beyond = await limit(graphql, limited, id, spendPerDay="1.000000001")
    lifted = await limit(graphql, limited, id, spendPerDay=None)
    less = await limit(graphql, limited, id, spendPerDay="0.5")

    assert (beyond["__typename"], beyond["field"]) == ("InvalidInputError", "limits.spendPerDay")
    assert (lifted["__typename"], lifted["field"]) == ("InvalidInputError", "limits.spendPerDay")
    assert less["limits"]["spendPerDay"] == "0.5"


@pytest.mark.parametrize("kind", ["User", "Organization"])
async def test_people_do_not_limit_themselves_or_others(
    graphql: GraphQL, admin: Principal, user: Principal, kind: str
) -> None:
    own = user.user_id if kind == "User" else user.organization_id
    theirs = (await create(graphql, admin, name="theirs"))["apiKey"]["id"]
    assert own is not None

    for owner in (global_id(kind, own), theirs, "nonsense", global_id("Wallet", own)):
        found = await limit(graphql, user, owner, maxCost="1")
        assert (found["__typename"], found["code"]) == ("NotFoundError", "NOT_FOUND")
    async with graphql.database.read(None) as session:
        for table in ("users", "organizations", "api_keys"):
            assert set(await session.scalars(text(f"SELECT limits::text FROM {table}"))) == {"{}"}


async def test_refuses_limits_below_nothing(graphql: GraphQL, user: Principal) -> None:
    id = (await create(graphql, user, name="app"))["apiKey"]["id"]

    found = await limit(graphql, user, id, spendPerMonth="-0.01")

    assert (found["__typename"], found["field"]) == ("InvalidInputError", "limits.spendPerMonth")
