"""Finished requests: who sees which, in which order, with what they refer to."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from uuid_utils.compat import uuid7

from domain.principal import MemberRole, Principal
from domain.usage import Attempt, TokenUsage
from schema.node import global_id
from tests.resolvers.conftest import GraphQL
from tests.resolvers.requests import START, deployed, settle

RECORDS = """
query (
  $filter: UsageRecordFilter, $orderBy: UsageRecordOrder, $first: Int, $after: String
) {
  usageRecords(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes { id requestedModel } pageInfo { hasNextPage endCursor }
  }
}
"""
WHOLE = """
{
  usageRecords {
    nodes {
      startedAt requestedModel providerSlug modelName status errorClass usageSource cost keyOwner
      isByok
      inputTokens cachedTokens cacheWriteTokens outputTokens reasoningTokens
      latencyMs firstTokenMs attemptCount isStreamed
      user { name } organization { name } apiKey { name } provider { slug } model { reference }
      price { input } decision { strategy }
      attempts { providerSlug modelName outcome reason httpStatus keyOwner startedMs firstTokenMs
                 latencyMs inputTokens outputTokens cost model { reference } }
    }
  }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { ... on UsageRecord { requestedModel } } }"


FIGURES = {
    "input_tokens": 5_000_000_000,
    "cached_tokens": 3,
    "cache_write_tokens": 2,
    "output_tokens": 9,
    "reasoning_tokens": 4,
    "cost": 10_000_000_000_001,
    "key_owner": "USER",
    "latency_ms": 812,
    "first_token_ms": 90,
    "status": "CUT",
    "error_class": "BROKEN_STREAM",
    "streamed": True,
}
RECORD = {
    "requestedModel": "auto",
    "providerSlug": "local",
    "modelName": "small",
    "status": "CUT",
    "errorClass": "BROKEN_STREAM",
    "usageSource": "PROVIDER",
    "cost": "10000.000000001",
    "keyOwner": "USER",
    "isByok": True,
    "inputTokens": 5_000_000_000,
    "cachedTokens": 3,
    "cacheWriteTokens": 2,
    "outputTokens": 9,
    "reasoningTokens": 4,
    "latencyMs": 812,
    "firstTokenMs": 90,
    "attemptCount": 1,
    "isStreamed": True,
    "user": {"name": "Uma"},
    "organization": {"name": "Uma"},
    "apiKey": None,
    "provider": {"slug": "local"},
    "model": {"reference": "local/small"},
    "price": {"input": "2"},
    "decision": None,
    "attempts": [
        {
            "providerSlug": "local",
            "modelName": "small",
            "outcome": "SERVER_ERROR",
            "reason": "The upstream said 500.",
            "httpStatus": 500,
            "keyOwner": "USER",
            "startedMs": 1,
            "firstTokenMs": 90,
            "latencyMs": 700,
            "inputTokens": 7,
            "outputTokens": 2,
            "cost": "0.00000003",
            "model": {"reference": "local/small"},
        }
    ],
}


def failed_attempt(model_id: uuid.UUID) -> Attempt:
    return Attempt(
        deployment_id=model_id,
        provider="local",
        model="small",
        started_ms=1,
        latency_ms=700,
        outcome="SERVER_ERROR",
        key_owner="USER",
        http_status=500,
        first_token_ms=90,
        usage=TokenUsage(input=7, output=2),
        cost=30,
        reason="The upstream said 500.",
    )


async def models(graphql: GraphQL, caller: Principal, **variables: Any) -> list[str]:
    data = await graphql.data(RECORDS, caller, **variables)
    return [node["requestedModel"] for node in data["usageRecords"]["nodes"]]


async def test_a_record_says_what_was_used_and_by_whom(graphql: GraphQL, user: Principal) -> None:
    provider_id, model_id, price_id = await deployed(graphql)
    attempt = failed_attempt(model_id)
    await settle(
        graphql,
        {
            "user_id": user.user_id,
            "organization_id": user.organization_id,
            "provider_id": provider_id,
            "provider_slug": "local",
            "model_id": model_id,
            "price_id": price_id,
            **FIGURES,
            "attempt_log": msgspec.json.encode([attempt]).decode(),
        },
    )

    [record] = (await graphql.data(WHOLE, user))["usageRecords"]["nodes"]

    assert record == {**RECORD, "startedAt": START.isoformat().replace("+00:00", "Z")}


async def test_an_unknown_price_is_no_cost_and_not_zero(graphql: GraphQL, user: Principal) -> None:
    await settle(graphql, {"user_id": user.user_id, "cost": None, "provider_slug": None})

    [record] = (await graphql.data(WHOLE, user))["usageRecords"]["nodes"]

    assert (record["cost"], record["provider"], record["providerSlug"]) == (None, None, None)


async def test_people_see_theirs_their_administrators_the_organisations_and_administrators_all(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    governor = replace(admin, role=user.role, organization_role=MemberRole.ADMIN)
    member = replace(admin, role=user.role)
    await settle(
        graphql,
        {"user_id": user.user_id, "requested_model": "mine"},
        {"user_id": uuid7(), "organization_id": admin.organization_id, "requested_model": "ours"},
        {"user_id": uuid7(), "organization_id": uuid7(), "requested_model": "theirs"},
    )

    assert await models(graphql, user) == ["mine"]
    assert await models(graphql, governor) == ["ours"]
    assert await models(graphql, member) == []
    assert await models(graphql, admin) == ["theirs", "ours", "mine"]


async def test_somebody_elses_record_is_as_absent_as_one_that_never_was(
    graphql: GraphQL, user: Principal, admin: Principal
) -> None:
    await settle(graphql, {"user_id": admin.user_id})
    data = await graphql.data(RECORDS, admin)
    id = data["usageRecords"]["nodes"][0]["id"]

    assert await graphql.data(NODE, admin, id=id) == {"node": {"requestedModel": "auto"}}
    assert await graphql.data(NODE, user, id=id) == {"node": None}
    assert await graphql.data(NODE, user, id=global_id("UsageRecord", uuid7())) == {"node": None}
    theirs = {"user": global_id("User", admin.user_id)}
    assert await models(graphql, user, filter=theirs) == []


async def test_pages_run_from_the_newest_to_the_oldest_or_back(
    graphql: GraphQL, user: Principal
) -> None:
    await settle(graphql, *({"user_id": user.user_id, "requested_model": str(n)} for n in range(5)))

    first = (await graphql.data(RECORDS, user, first=2))["usageRecords"]
    place = first["pageInfo"]

    assert (first["totalCount"], place["hasNextPage"]) == (5, True)
    assert [node["requestedModel"] for node in first["nodes"]] == ["4", "3"]
    assert await models(graphql, user, after=place["endCursor"]) == ["2", "1", "0"]
    assert await models(graphql, user, orderBy={"direction": "ASC"}, first=2) == ["0", "1"]


async def test_filters_narrow_by_everything_a_record_refers_to(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    keys = {
        "provider": ("Provider", "provider_id"),
        "model": ("Model", "model_id"),
        "apiKey": ("ApiKey", "api_key_id"),
        "organization": ("Organization", "organization_id"),
    }
    ids = {name: uuid7() for name in keys}
    await settle(
        graphql,
        *({column: ids[name], "requested_model": name} for name, (_, column) in keys.items()),
        {"user_id": user.user_id, "requested_model": "user"},
        {"status": "ERROR", "requested_model": "error"},
    )

    for name, (type_name, _) in keys.items():
        found = await models(graphql, admin, filter={name: global_id(type_name, ids[name])})
        assert found == [name]
    mine = {"user": global_id("User", user.user_id)}
    assert await models(graphql, admin, filter=mine) == ["user"]
    assert await models(graphql, admin, filter={"statuses": ["ERROR"]}) == ["error"]
    assert await models(graphql, admin, filter={"provider": "nonsense"}) == []


async def test_a_span_includes_its_beginning_and_not_its_end(
    graphql: GraphQL, user: Principal
) -> None:
    await settle(graphql, *({"user_id": user.user_id, "requested_model": str(n)} for n in range(4)))
    span = {
        "from": (START + timedelta(seconds=1)).isoformat(),
        "to": (START + timedelta(seconds=3)).isoformat(),
    }

    assert await models(graphql, user, filter=span) == ["2", "1"]


async def test_a_decision_that_cannot_be_read_fails_alone(
    graphql: GraphQL, user: Principal
) -> None:
    await settle(
        graphql,
        {"user_id": user.user_id, "decision": '{"from": "another version"}'},
        {"user_id": user.user_id},
    )

    result = await graphql(WHOLE, user)

    assert result.data is not None
    nodes = result.data["usageRecords"]["nodes"]
    assert [node["decision"] for node in nodes] == [None, None]
    assert [error.path for error in result.errors or ()] == [
        ["usageRecords", "nodes", 1, "decision"]
    ]


@pytest.mark.parametrize("document", [RECORDS, "{ usage { from } }"])
async def test_strangers_see_nothing(graphql: GraphQL, document: str) -> None:
    assert await graphql.codes(document, None) == ["UNAUTHENTICATED"]
