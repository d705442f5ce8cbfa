"""Every edge of requests, their decisions and their sums: as many statements for 100 as for one."""

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from db.models.user import User
from domain.health import Live
from domain.principal import Principal
from domain.routing import plan
from domain.usage import Attempt
from tests.domain.routing import catalogue
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import settle

RECORDS = """
{
  usageRecords(first: 100) {
    totalCount
    edges { node { status } }
    nodes {
      user { name } organization { name } apiKey { name user { name } organization { name } }
      provider { slug } model { reference } price { input }
      decision { candidates(first: 8) { reference model { name } } flipConditions { lever } }
      attempts { model { name } }
    }
  }
}
"""
SUMS = """
query ($by: UsageDimension!) {
  usage {
    totals { requests }
    series { requests }
    breakdown(by: $by, top: 100) {
      groups {
        requests provider { slug } model { name } user { name } organization { name }
        apiKey { name }
      }
    }
    previous { totals { requests } }
    records(first: 100) { nodes { user { name } } }
  }
}
"""
REFERENCES = ("organization_id", "api_key_id", "provider_id", "model_id", "price_id")


def requests(count: int) -> Iterator[dict[str, Any]]:
    """Each of another person's, with candidates and an attempt of its own."""
    for _ in range(count):
        models = [
            catalogue.deployment(f"local/{uuid7()}", catalogue.price(price, 4))
            for price in (1.0, 2.0)
        ]
        made = plan(catalogue.snapshot(*models), catalogue.request(), Live())
        attempt = Attempt(models[0].id, "local", "small", 0, 5, "OK")
        yield {
            "user_id": uuid7(),
            **{name: uuid7() for name in REFERENCES},
            "decision": msgspec.json.encode(made.decision).decode(),
            "attempt_log": msgspec.json.encode([attempt]).decode(),
        }


async def add_people(graphql: GraphQL, ids: list[uuid.UUID]) -> None:
    rows = [
        {"id": id, "issuer": "x", "subject": str(id), "name": "x", "role": "USER"} for id in ids
    ]
    async with graphql.database.write(None) as session:
        await session.execute(insert(User), rows)


async def test_requests(graphql: GraphQL, admin: Principal) -> None:
    counts = []
    for size in (1, 99):
        made = list(requests(size))
        await add_people(graphql, [each["user_id"] for each in made])
        await settle(graphql, *made)
        with graphql.statements() as sent:
            nodes = (await graphql.data(RECORDS, admin))["usageRecords"]["nodes"]
        counts.append((len(nodes), len(sent)))

        assert all(len(node["decision"]["candidates"]) == 2 for node in nodes)
        assert all(len(node["attempts"]) == 1 for node in nodes)
        assert all(node["user"] == {"name": "x"} for node in nodes)
    assert counts == [(1, counts[0][1]), (100, counts[0][1])]


@pytest.mark.parametrize("by", ["PROVIDER", "MODEL", "USER", "ORGANIZATION", "API_KEY"])
async def test_sums(graphql: GraphQL, admin: Principal, by: str) -> None:
    counts = []
    for size in (1, 99):
        await settle(graphql, *requests(size))
        with graphql.statements() as sent:
            data = await graphql.data(SUMS, admin, by=by)
        counts.append((len(data["usage"]["breakdown"]["groups"]), len(sent)))

    assert counts == [(1, counts[0][1]), (100, counts[0][1])]
