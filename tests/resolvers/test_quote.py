"""What a request will cost is said before it is sent, and the request then costs that."""

from decimal import Decimal
from typing import Any

from domain.principal import Principal
from tests.provider.server import FakeProvider
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_completion import COMPLETE, MESSAGES, fake

__all__ = ["fake"]

QUOTE = """
query ($input: ExplainRouteInput!) {
  quoteCompletion(input: $input) {
    low expected high worst inputTokens outputLow outputHigh isOutputObserved
    decision { winner { reference } refusal }
  }
}
"""


async def quote(graphql: GraphQL, caller: Principal, **input: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await graphql.data(QUOTE, caller, input=input))["quoteCompletion"]
    return found


async def test_the_quote_holds(graphql: GraphQL, user: Principal, fake: str) -> None:
    before = await quote(graphql, user, model="fake-n8", messages=MESSAGES, maxTokens=50)

    answer = await graphql.data(
        COMPLETE, user, input={"model": "fake-n8", "messages": MESSAGES, "maxTokens": 50}
    )
    after = await quote(graphql, user, model="fake-n8", messages=MESSAGES, maxTokens=50)

    cost = Decimal(answer["complete"]["receipt"]["usage"]["cost"])
    assert not before["isOutputObserved"]
    assert Decimal(before["low"]) <= cost <= Decimal(before["high"]) <= Decimal(before["worst"])
    assert after["isOutputObserved"]
    assert 7 <= after["outputLow"] <= 8 <= after["outputHigh"] <= 9
    assert after["decision"]["winner"]["reference"] == "fake/fake-n8"


async def test_an_unknown_price_is_no_price(
    graphql: GraphQL, admin: Principal, user: Principal, fake: str
) -> None:
    document = "mutation ($input: CreateModelInput!) { createModel(input: $input) { __typename } }"
    await graphql.data(document, admin, input={"provider": fake, "name": "unpriced"})

    found = await quote(graphql, user, model="fake/unpriced", messages=MESSAGES)

    assert (found["low"], found["worst"], found["outputLow"]) == (None, None, None)


async def test_nothing_is_sent(
    graphql: GraphQL, user: Principal, fake: str, fake_provider: FakeProvider
) -> None:
    sent = len(fake_provider.log)

    await quote(graphql, user, model="auto", messages=MESSAGES)

    assert len(fake_provider.log) == sent
