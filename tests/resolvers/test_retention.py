"""How long requests are kept: said by administrators, done by dropping days, sums stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from db.models.audit import AuditEntry
from db.session import Database
from domain.principal import Principal
from domain.retention import drop_expired
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import settle

SET = """
mutation ($input: SetUsageRetentionInput!) {
  setUsageRetention(input: $input) {
    ... on SetUsageRetentionPayload { usageRetention { days version } }
    ... on ConflictError { code }
    ... on InvalidInputError { field }
  }
}
"""
READ = "{ usageRetention { days version } }"
SEEN = "{ usage(period: DAYS_90) { totals { requests } records { totalCount } } }"
TODAY = datetime.now(UTC)


async def change(graphql: GraphQL, caller: Principal, **input: Any) -> Any:
    return (await graphql.data(SET, caller, input=input))["setUsageRetention"]


async def test_requests_that_are_not_kept_go_and_their_sums_stay(
    graphql: GraphQL, admin: Principal, database: Database
) -> None:
    await settle(graphql, {"at": TODAY - timedelta(days=5)}, {"at": TODAY - timedelta(days=1)})
    assert await graphql.data(READ, admin) == {"usageRetention": {"days": None, "version": 1}}
    assert await drop_expired(database) == []

    changed = await change(graphql, admin, days=3, expectedVersion=1)
    assert changed == {"usageRetention": {"days": 3, "version": 2}}
    dropped = await drop_expired(database)

    assert f"llm_usage_logs_{TODAY - timedelta(days=5):%Y%m%d}" in dropped
    assert f"llm_decisions_{TODAY - timedelta(days=5):%Y%m%d}" in dropped
    assert await graphql.data(SEEN, admin) == {
        "usage": {"totals": {"requests": 2}, "records": {"totalCount": 1}}
    }
    assert await drop_expired(database) == []
    await settle(graphql, {"at": TODAY - timedelta(days=5)})


async def test_it_is_audited_and_guarded(
    graphql: GraphQL, admin: Principal, user: Principal, database: Database
) -> None:
    assert await change(graphql, admin, days=0) == {"field": "days"}
    assert await change(graphql, admin, days=9, expectedVersion=7) == {"code": "CONFLICT"}
    assert await graphql.codes(READ, user) == ["FORBIDDEN"]
    await change(graphql, admin, days=9)

    async with database.read(None) as session:
        [entry] = await session.scalars(
            select(AuditEntry).where(AuditEntry.object_type == "USAGE_RETENTION")
        )
    assert (entry.before, entry.after) == ({"days": None}, {"days": 9})
