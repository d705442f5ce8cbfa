"""Whether credits are enforced, and at what markup: changed by administrators, applied at once."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from domain.principal import Principal, Scope
from domain.snapshot import CreditSettings, CreditsMode
from tests.resolvers.conftest import GraphQL

READ = "{ creditSettings { mode markupBasisPoints version } }"
UPDATE = """
mutation ($input: UpdateCreditSettingsInput!) {
  updateCreditSettings(input: $input) {
    __typename
    ... on Error { code message }
    ... on InvalidInputError { field }
    ... on UpdateCreditSettingsPayload { creditSettings { mode markupBasisPoints version } }
  }
}
"""


async def update(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(UPDATE, caller, input=input))["updateCreditSettings"]


async def test_a_fresh_installation_only_meters(graphql: GraphQL, user: Principal) -> None:
    assert await graphql.data(READ, user) == {
        "creditSettings": {"mode": "OFF", "markupBasisPoints": 0, "version": 1}
    }
    assert graphql.configuration.snapshot.credits == CreditSettings()


async def test_a_change_is_in_force_when_it_is_answered(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    changed = await update(graphql, admin, mode="ENFORCED", expectedVersion=1)
    assert changed["creditSettings"] == {
        "mode": "ENFORCED",
        "markupBasisPoints": 0,
        "version": 2,
    }
    assert graphql.configuration.snapshot.credits.enforced

    await update(graphql, admin, markupBasisPoints=1_250)

    assert graphql.configuration.snapshot.credits == CreditSettings(CreditsMode.ENFORCED, 1_250)
    assert (await graphql.data(READ, user))["creditSettings"]["version"] == 3
    async with graphql.database.read(None) as session:
        told = await session.execute(
            text("SELECT object_type, before, after FROM audit_log ORDER BY number")
        )
        assert [tuple(row) for row in told] == [
            ("CREDIT_SETTINGS", {"mode": "OFF"}, {"mode": "ENFORCED"}),
            ("CREDIT_SETTINGS", {"markup": 0}, {"markup": 1250}),
        ]


async def test_nothing_changed_is_no_change(graphql: GraphQL, admin: Principal) -> None:
    found = await update(graphql, admin, mode="OFF")

    assert found["creditSettings"]["version"] == 1
    async with graphql.database.read(None) as session:
        assert await session.scalar(text("SELECT count(*) FROM audit_log")) == 0


@pytest.mark.parametrize("markup", [-1, 100_001])
async def test_refuses_a_markup_out_of_range(
    graphql: GraphQL, admin: Principal, markup: int
) -> None:
    found = await update(graphql, admin, markupBasisPoints=markup)

    assert (found["__typename"], found["field"]) == ("InvalidInputError", "markupBasisPoints")
    assert graphql.configuration.snapshot.credits == CreditSettings()


async def test_a_stale_change_is_refused(graphql: GraphQL, admin: Principal) -> None:
    await update(graphql, admin, mode="ENFORCED")

    found = await update(graphql, admin, mode="OFF", expectedVersion=1)

    assert (found["__typename"], found["code"]) == ("ConflictError", "CONFLICT")
    assert graphql.configuration.snapshot.credits.enforced


async def test_only_administrators_change_it(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    reader = replace(admin, scopes=frozenset({Scope.READ}))
    for caller in (user, reader):
        assert await graphql.codes(UPDATE, caller, input={"mode": "ENFORCED"}) == ["FORBIDDEN"]
    assert await graphql.codes(UPDATE, None, input={"mode": "ENFORCED"}) == ["UNAUTHENTICATED"]
    assert graphql.configuration.snapshot.credits == CreditSettings()
