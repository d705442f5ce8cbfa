"""What an explanation says of the money that a request would need."""

from domain.principal import Principal
from tests.resolvers.conftest import GraphQL, add_provider
from tests.resolvers.test_credits import update

CREATE = """
mutation ($provider: ID!, $name: String!, $price: PriceInput) {
  createModel(input: {provider: $provider, name: $name, price: $price}) { __typename }
}
"""
EXPLAIN = """
query ($model: String!) {
  explainRoute(input: {model: $model, inputTokens: 1000, maxTokens: 100}) {
    refusal excluded { code }
    credits { mode markupBasisPoints paidBy worstCase held }
  }
}
"""


async def test_tells_the_worst_case_and_who_pays(
    graphql: GraphQL, admin: Principal, user: Principal
) -> None:
    provider = await add_provider(graphql, admin, "local", type="CUSTOM", baseUrl="https://x.test")
    price = {"input": "2", "output": "8"}
    await graphql.data(CREATE, admin, provider=provider, name="priced", price=price)
    await graphql.data(CREATE, admin, provider=provider, name="free", price=None)

    off = (await graphql.data(EXPLAIN, user, model="local/priced"))["explainRoute"]
    await update(graphql, admin, mode="ENFORCED", markupBasisPoints=1_000)
    on = (await graphql.data(EXPLAIN, user, model="local/priced"))["explainRoute"]
    unpriced = (await graphql.data(EXPLAIN, user, model="local/free"))["explainRoute"]

    assert off["credits"] is None
    tokens = 1_000 + 250 + 512
    assert on["credits"] == {
        "mode": "ENFORCED",
        "markupBasisPoints": 1_000,
        "paidBy": "USER",
        "worstCase": f"{(tokens * 2_000 + 100 * 8_000) * 1.1 / 1e9:.9f}".rstrip("0"),
        "held": None,
    }
    assert unpriced["refusal"] is not None
    assert unpriced["excluded"] == [{"code": "PRICE_UNKNOWN"}]
