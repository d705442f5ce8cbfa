"""Webhooks: who may have which, what they hear of, and what is shown of them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text, update

from db.models.webhook import WebhookDelivery
from db.session import Database
from domain.event import EventType
from domain.principal import MemberRole, Principal, Role
from schema.node import global_id
from tests.provider.server import FakeProvider
from tests.resolvers.byok import OTHER, SECRET, saved
from tests.resolvers.byok import TEST as TEST_KEY
from tests.resolvers.conftest import GraphQL, add_provider, make_principal
from tests.resolvers.webhooks import (
    DELETE,
    NODE,
    REPLAY,
    ROTATE,
    TEST,
    UPDATE,
    URL,
    WEBHOOKS,
    create,
    created,
    seen,
    sent,
)


@pytest.fixture
def governor(user: Principal) -> Principal:
    """An administrator of uma's organisation."""
    return replace(user, organization_role=MemberRole.ADMIN)


@pytest.fixture
async def stranger(database: Database) -> Principal:
    """Governs an organisation of their own."""
    made = await make_principal(database, Role.USER, "eve")
    return replace(made, organization_role=MemberRole.ADMIN)


def organization(caller: Principal) -> str:
    assert caller.organization_id is not None
    return global_id("Organization", caller.organization_id)


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once_and_sealed(
    graphql: GraphQL, admin: Principal
) -> None:
    made = await create(graphql, admin, idempotencyKey="k-1")
    again = await create(graphql, admin, idempotencyKey="k-1")

    async with graphql.database.read(None) as session:
        kept = str(await session.scalar(text("SELECT json_agg(s) FROM webhook_secrets s")))
        log = str(await session.scalar(text("SELECT json_agg(a) FROM audit_log a")))
    assert made["webhook"] == {
        "id": made["webhook"]["id"],
        "name": "hooks.example",
        "url": URL,
        "eventTypes": ["RULES_PUBLISHED"],
        "enabled": True,
        "disabledReason": None,
        "failingSince": None,
        "version": 1,
        "organization": None,
    }
    assert made["secret"].startswith("whsec_")
    assert (again["secret"], again["webhook"]["id"]) == (None, made["webhook"]["id"])
    assert made["secret"] not in kept + log
    assert "canary" not in log, "receivers like to have tokens in their URLs"
    assert len(await seen(graphql, admin)) == 1


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://user:pw@hooks.example/"}, "url"),
        ({"url": "https://hooks.example/#x"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "ftp://hooks.example/"}, "url"),
        ({"url": "https://hooks.example:99999/"}, "url"),
        ({"url": "https://hooks.exämple/"}, "url"),
        ({"eventTypes": []}, "eventTypes"),
        ({"eventTypes": ["WEBHOOK_TEST"]}, "eventTypes"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    graphql: GraphQL, admin: Principal, input: dict[str, Any], field: str
) -> None:
    refused = await create(graphql, admin, **input)

    assert (refused["__typename"], refused["field"]) == ("InvalidInputError", field)
    assert await seen(graphql, admin) == []


async def test_an_organisations_administrators_govern_its_webhooks_and_no_others(
    graphql: GraphQL, admin: Principal, governor: Principal, stranger: Principal
) -> None:
    await create(graphql, admin, name="all")
    ours = await created(graphql, governor, name="ours", organization=organization(governor))
    theirs = await create(graphql, governor, organization=organization(stranger))
    everything = await create(graphql, governor)

    assert theirs["__typename"] == "NotFoundError"
    assert (everything["__typename"], everything["field"]) == ("InvalidInputError", "organization")
    assert await seen(graphql, governor) == ["ours"]
    assert await seen(graphql, stranger) == []
    assert await seen(graphql, admin) == ["all", "ours"]
    assert await seen(graphql, admin, ofInstallation=True) == ["all"]
    assert await seen(graphql, admin, organization=organization(governor)) == ["ours"]
    assert (await graphql.data(NODE, stranger, id=ours))["node"] is None
    for document, variables in (
        (UPDATE, {"input": {"id": ours, "name": "x"}}),
        (ROTATE, {"input": {"id": ours}}),
        (TEST, {"id": ours}),
        (DELETE, {"id": ours}),
    ):
        [answer] = (await graphql.data(document, stranger, **variables)).values()
        assert answer["__typename"] == "NotFoundError"


async def test_changes_need_the_version_that_was_read(graphql: GraphQL, admin: Principal) -> None:
    id = await created(graphql, admin)
    changed = {"id": id, "expectedVersion": 1, "name": "new", "eventTypes": ["PRICE_CHANGED"]}

    first = (await graphql.data(UPDATE, admin, input=changed))["updateWebhook"]
    stale = (await graphql.data(UPDATE, admin, input=changed))["updateWebhook"]

    assert (first["webhook"]["name"], first["webhook"]["version"]) == ("new", 2)
    assert first["webhook"]["eventTypes"] == ["PRICE_CHANGED"]
    assert stale["__typename"] == "ConflictError"


async def test_as_many_statements_for_a_hundred_as_for_one(
    graphql: GraphQL, admin: Principal, governor: Principal
) -> None:
    ids = [
        await created(graphql, governor, organization=organization(governor), name=f"hook {n}")
        for n in range(5)
    ]
    for id in ids * 3:
        await graphql.data(TEST, admin, id=id)

    counts = []
    for n in (1, 100):
        with graphql.statements() as statements:
            await graphql.data(WEBHOOKS, admin, n=n)
        counts.append(len(statements))

    assert counts[0] == counts[1]


async def test_at_most_twenty_each(graphql: GraphQL, admin: Principal) -> None:
    for n in range(20):
        await created(graphql, admin, name=f"hook {n}")

    assert (await create(graphql, admin))["__typename"] == "ConflictError"


async def test_a_rotation_shows_a_new_secret_and_bounds_the_overlap(
    graphql: GraphQL, admin: Principal
) -> None:
    made = await create(graphql, admin)
    id = made["webhook"]["id"]

    new = (await graphql.data(ROTATE, admin, input={"id": id}))["rotateWebhookSecret"]
    long = await graphql.data(ROTATE, admin, input={"id": id, "overlapHours": 169})

    assert new["secret"] != made["secret"]
    assert long["rotateWebhookSecret"]["field"] == "overlapHours"


async def test_a_test_is_delivered_and_can_be_replayed_under_the_same_event_id(
    graphql: GraphQL, admin: Principal
) -> None:
    id = await created(graphql, admin, name="mine")
    test = (await graphql.data(TEST, admin, id=id))["testWebhook"]["delivery"]
    early = await graphql.data(REPLAY, admin, input={"id": test["id"]})
    async with graphql.database.write(None) as session:
        await session.execute(update(WebhookDelivery).values(state="FAILED"))
    key = {"id": test["id"], "idempotencyKey": "k-1"}
    again = (await graphql.data(REPLAY, admin, input=key))["replayWebhookDelivery"]["delivery"]
    same = (await graphql.data(REPLAY, admin, input=key))["replayWebhookDelivery"]["delivery"]

    assert (test["state"], test["eventType"], test["attempts"]) == ("PENDING", "WEBHOOK_TEST", [])
    assert test["payload"]["data"] == {"webhookId": id, "name": "mine"}
    assert early["replayWebhookDelivery"]["__typename"] == "ConflictError"
    assert (again["eventId"], again["replayOf"]) == (test["eventId"], test["id"])
    assert again["id"] == same["id"] != test["id"]
    listed = await graphql.data(WEBHOOKS, admin, deliveries={"states": ["FAILED"]})
    deliveries = listed["webhooks"]["nodes"][0]["deliveries"]
    assert [each["id"] for each in deliveries["nodes"]] == [test["id"]]
    assert deliveries["totalCount"] == 1


async def test_one_that_is_switched_off_is_neither_tested_nor_replayed(
    graphql: GraphQL, admin: Principal
) -> None:
    id = await created(graphql, admin, enabled=False)

    refused = (await graphql.data(TEST, admin, id=id))["testWebhook"]

    assert (refused["__typename"], refused["message"]) == (
        "ConflictError",
        "This webhook is switched off: switch it on first.",
    )


CHANGES = """
mutation ($provider: ID!) {
  createModel(input: {provider: $provider, name: "m", price: {input: "1", output: "2"}}) {
    ... on CreateModelPayload { model { id } }
  }
  setRoutingRules(input: {strategy: COST, note: "Cheaper"}) { __typename }
  createApiKey(input: {name: "ci"}) { __typename }
}
"""
PRICE = """
mutation ($model: ID!) {
  setModelPrice(input: {model: $model, price: {input: "3", output: "4"}}) { __typename }
}
"""
EVERYTHING = [each.name for each in EventType if each is not EventType.WEBHOOK_TEST]


async def test_changes_are_told_with_their_ids_in_the_transaction_that_makes_them(
    graphql: GraphQL, admin: Principal
) -> None:
    await created(graphql, admin, eventTypes=EVERYTHING)
    provider = await add_provider(graphql, admin, "openai")
    data = await graphql.data(CHANGES, admin, provider=provider)
    model = data["createModel"]["model"]["id"]
    await graphql.data(PRICE, admin, model=model)

    told = [json.loads(each.body) for each in await sent(graphql)]
    assert [each["type"] for each in told] == [
        "provider.changed",
        "catalogue.changed",
        "rules.published",
        "api_key.created",
        "price.changed",
    ]
    assert told[0]["data"]["objectId"] == provider
    assert (told[4]["data"]["objectId"], told[4]["data"]["after"]["input"]) == (model, 3_000_000)
    assert told[4]["data"]["before"]["input"] == 1_000_000
    assert told[2]["data"]["after"].items() >= {"version": 1, "note": "Cheaper"}.items()
    assert told[2]["data"]["action"] == "PUBLISH"


async def test_an_organisation_hears_of_its_own_key_that_was_refused_and_of_nothing_else(
    graphql: GraphQL,
    admin: Principal,
    governor: Principal,
    stranger: Principal,
    fake_provider: FakeProvider,
) -> None:
    fake_provider.key = SECRET
    provider = await add_provider(
        graphql, admin, "fake", type="OPENAI", baseUrl=fake_provider.base_url
    )
    for name, caller in (("ours", governor), ("theirs", stranger)):
        await created(
            graphql,
            caller,
            name=name,
            organization=organization(caller),
            eventTypes=EVERYTHING,
        )
    ours = organization(governor)
    key = await saved(graphql, governor, provider, organization=ours, secret=OTHER)
    await graphql.data(TEST_KEY, governor, id=key)
    await graphql.data(
        "mutation { setRoutingRules(input: {strategy: COST}) { __typename } }", admin
    )

    [told] = await sent(graphql)
    body = json.loads(told.body)
    hooks = await graphql.data(WEBHOOKS, governor)
    assert (body["type"], body["data"]["objectId"]) == ("credential.disabled", key)
    assert body["data"]["after"]["state"] == "DISABLED"
    assert hooks["webhooks"]["nodes"][0]["deliveries"]["totalCount"] == 1
