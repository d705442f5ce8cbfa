"""Whose requests a caller may see, in a query and for a row at hand."""

import uuid
from dataclasses import replace

import pytest

from db.queries.usage import Reach, UsageQuery
from domain.principal import MemberRole, Principal, Role
from domain.reach import reach_of
from domain.usage_feed import wants
from tests.usage import usage_row

ME, SOMEBODY, OURS, THEIRS = (uuid.UUID(int=n) for n in range(1, 5))
USER = Principal(user_id=ME, role=Role.USER, scopes=frozenset(), organization_id=OURS)
EVERYBODY = Reach(everybody=True, user=ME, organization=None)


def test_a_member_reaches_their_own() -> None:
    assert reach_of(USER) == Reach(everybody=False, user=ME, organization=None)


def test_an_organisations_administrator_reaches_it() -> None:
    governor = replace(USER, organization_role=MemberRole.ADMIN)

    assert reach_of(governor) == Reach(everybody=False, user=ME, organization=OURS)


def test_an_administrator_reaches_everybody() -> None:
    assert reach_of(replace(USER, role=Role.ADMIN)).everybody


@pytest.mark.parametrize(
    ("user", "organization", "mine", "governed"),
    [
        (ME, None, True, True),
        (ME, THEIRS, True, True),
        (SOMEBODY, OURS, False, True),
        (SOMEBODY, THEIRS, False, False),
        (SOMEBODY, None, False, False),
    ],
)
def test_a_row_is_wanted_within_reach_only(
    user: uuid.UUID, organization: uuid.UUID | None, mine: bool, governed: bool
) -> None:
    row = usage_row(user_id=user, organization_id=organization)
    own = Reach(everybody=False, user=ME, organization=None)

    assert wants(UsageQuery(own), row) is mine
    assert wants(UsageQuery(replace(own, organization=OURS)), row) is governed
    assert wants(UsageQuery(EVERYBODY), row)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("user", "user_id"),
        ("organization", "organization_id"),
        ("api_key", "api_key_id"),
        ("provider", "provider_id"),
        ("model", "model_id"),
    ],
)
def test_a_row_is_wanted_when_every_part_of_the_query_fits(name: str, column: str) -> None:
    query = UsageQuery(EVERYBODY, statuses=("OK",))
    query = replace(query, **{name: OURS})  # type: ignore[arg-type]

    assert wants(query, usage_row(**{column: OURS}))
    assert not wants(query, usage_row(**{column: THEIRS}))
    assert not wants(query, usage_row(**{column: OURS}, status="ERROR"))
