"""Asking a model by GraphQL: whole and in pieces, at one price, and never silently cut."""

from typing import Any

import pytest

from domain.principal import Principal, Role, Scope
from schema.scalars import usd_text
from tests.gateway.ports import Records
from tests.provider.server import FakeProvider
from tests.resolvers.conftest import GraphQL, add_provider, make_principal

RECEIPT = """
fragment Receipt on CompletionReceipt {
  recordId provider model
  usage { inputTokens outputTokens cost isEstimated }
  decision { winner { reference } }
}
fragment Failure on Error { __typename code message retryable }
"""
COMPLETE = (
    """
mutation ($input: CompleteInput!) {
  complete(input: $input) {
    ... on CompletePayload {
      text finishReason toolCalls { id name arguments } receipt { ...Receipt }
    }
    ...Failure
  }
}"""
    + RECEIPT
)
FOLLOW = (
    """
subscription ($input: CompleteInput!) {
  completion(input: $input) {
    ... on CompletionDelta { text finishReason }
    ...Receipt
    ...Failure
  }
}"""
    + RECEIPT
)
MESSAGES = [{"role": "user", "content": "Hello"}]


async def add_model(graphql: GraphQL, admin: Principal, provider: str, name: str) -> None:
    document = "mutation ($input: CreateModelInput!) { createModel(input: $input) { __typename } }"
    price = {"input": "0.60", "output": "2.40"}
    made = await graphql.data(
        document, admin, input={"provider": provider, "name": name, "price": price}
    )
    assert made["createModel"]["__typename"] == "CreateModelPayload"


@pytest.fixture
async def fake(graphql: GraphQL, admin: Principal, fake_provider: FakeProvider) -> str:
    """The id of a provider `fake` with its key and the model `fake-n8`."""
    made = await add_provider(
        graphql, admin, "fake", type="CUSTOM", baseUrl=f"{fake_provider.base_url}"
    )
    key = (
        "mutation ($input: CreateCredentialInput!) { createCredential(input: $input) {__typename}}"
    )
    await graphql.data(
        key, admin, input={"provider": made, "name": "one", "secret": "sk-0123456789abcdefghij"}
    )
    await add_model(graphql, admin, made, "fake-n8")
    return made


async def follow(graphql: GraphQL, caller: Principal, **input: Any) -> list[dict[str, Any]]:
    """Every event of a completion, to its end."""
    events = await graphql.schema.subscribe(
        FOLLOW, variable_values={"input": input}, context_value=graphql.context(caller)
    )
    found = []
    async for event in events:
        assert event.errors is None, event.errors
        assert event.data is not None
        found.append(event.data["completion"])
    return found


async def test_an_answer_comes_whole_with_its_receipt(
    graphql: GraphQL, user: Principal, fake: str, records: Records
) -> None:
    data = await graphql.data(COMPLETE, user, input={"model": "fake-n8", "messages": MESSAGES})
    answer = data["complete"]

    (outcome,) = await records.settled()
    assert answer["text"] == " ".join(f"word{n}" for n in range(8)) + " "
    assert answer["finishReason"] == "stop"
    receipt = answer["receipt"]
    assert (receipt["provider"], receipt["model"]) == ("fake", "fake-n8")
    assert receipt["decision"]["winner"]["reference"] == "fake/fake-n8"
    assert receipt["usage"] == {
        "inputTokens": outcome.usage.input,
        "outputTokens": 8,
        "cost": usd_text(outcome.cost or 0),
        "isEstimated": False,
    }
    assert outcome.user_id == user.user_id


async def test_pieces_add_up_to_the_same_answer_at_the_same_price(
    graphql: GraphQL, user: Principal, fake: str, records: Records
) -> None:
    input = {"model": "fake-n8", "messages": MESSAGES}
    whole = (await graphql.data(COMPLETE, user, input=input))["complete"]

    events = await follow(graphql, user, **input)

    *deltas, receipt = events
    assert "".join(delta["text"] for delta in deltas) == whole["text"]
    assert deltas[-1]["finishReason"] == "stop"
    assert receipt["usage"] == whole["receipt"]["usage"]
    first, second = await records.settled(2)
    assert (first.cost, first.streamed, second.streamed) == (second.cost, False, True)


async def test_a_stream_that_breaks_ends_in_a_failure_and_no_receipt(
    graphql: GraphQL, admin: Principal, user: Principal, fake: str
) -> None:
    await add_model(graphql, admin, fake, "fake-n8-cut4")

    events = await follow(graphql, user, model="fake-n8-cut4", messages=MESSAGES)

    assert [event["__typename"] for event in events if "__typename" in event] == ["ProviderError"]
    assert events[-1]["retryable"]
    assert not any("recordId" in event for event in events)


async def test_leaving_stops_the_request_and_records_it(
    graphql: GraphQL, admin: Principal, user: Principal, fake: str, records: Records
) -> None:
    await add_model(graphql, admin, fake, "fake-n64-g20")
    events = await graphql.schema.subscribe(
        FOLLOW,
        variable_values={"input": {"model": "fake-n64-g20", "messages": MESSAGES}},
        context_value=graphql.context(user),
    )
    async for _ in events:
        break
    await events.aclose()

    (outcome,) = await records.settled()
    assert outcome.status == "CANCELLED"


@pytest.mark.parametrize(
    ("input", "kind", "code"),
    [
        ({"model": "nope", "messages": MESSAGES}, "NotFoundError", "MODEL_NOT_FOUND"),
        ({"messages": "hello"}, "InvalidInputError", "INVALID_INPUT"),
        ({"messages": []}, "InvalidInputError", "INVALID_INPUT"),
        ({"messages": MESSAGES, "maxTokens": 0}, "InvalidInputError", "INVALID_INPUT"),
        ({"messages": MESSAGES, "options": {"n": 2}}, "InvalidInputError", "INVALID_INPUT"),
        ({"messages": MESSAGES, "options": [1]}, "InvalidInputError", "INVALID_INPUT"),
        ({"model": "auto:precision", "messages": MESSAGES}, "CompletePayload", None),
    ],
)
async def test_refusals_are_members_of_the_result_in_both_modes(
    graphql: GraphQL, user: Principal, fake: str, input: dict[str, Any], kind: str, code: str | None
) -> None:
    whole = (await graphql.data(COMPLETE, user, input=input))["complete"]
    *_, last = await follow(graphql, user, **input)

    if code is None:
        assert "receipt" in whole
        assert "recordId" in last
    else:
        assert (whole["__typename"], whole["code"]) == (kind, code)
        assert last == whole


async def test_nothing_eligible_says_why(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    bare = await add_provider(graphql, admin, "bare")
    await add_model(graphql, admin, bare, "keyless")
    document = """
    mutation ($input: CompleteInput!) {
      complete(input: $input) { ... on NothingEligibleError { code reasons } }
    }"""

    data = await graphql.data(document, user, input={"model": "keyless", "messages": MESSAGES})

    assert data["complete"]["code"] == "NOTHING_ELIGIBLE"
    assert data["complete"]["reasons"] == ["1 without a provider key that works"]


async def test_a_key_without_the_right_to_ask_is_refused_and_nothing_is_sent(
    graphql: GraphQL, fake: str, records: Records, fake_provider: FakeProvider
) -> None:
    reader = await make_principal(graphql.database, Role.USER, "rita")
    reader = Principal(reader.user_id, reader.role, frozenset({Scope.READ, Scope.MANAGE}))

    codes = await graphql.codes(COMPLETE, reader, input={"messages": MESSAGES})

    assert codes == ["FORBIDDEN"]
    assert records.intents == []
