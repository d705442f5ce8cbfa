"""Dated prices: exact decimal strings, each a row of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.models.model import Model, Price
from domain.principal import Principal
from tests.resolvers.conftest import GraphQL
from tests.resolvers.test_model import CREATE, ERROR, FIELD, PRICE, create, rows

SET_PRICE = f"""
mutation ($input: SetModelPriceInput!) {{
  setModelPrice(input: $input) {{
    {ERROR} {FIELD}
    ... on SetModelPricePayload {{
      price {{ {PRICE} }}
      model {{ currentPrice {{ input }} prices {{ totalCount nodes {{ input validFrom }} }} }}
    }}
  }}
}}
"""


@pytest.mark.parametrize("amount", ["1e3", "NaN", "1,5", "1.0000000001", 2.5, ""])
async def test_an_amount_is_a_decimal_string(
    graphql: GraphQL, admin: Principal, provider: str, amount: Any
) -> None:
    input = {"provider": provider, "name": "m", "price": {"input": amount, "output": "1"}}
    result = await graphql(CREATE, admin, input=input)

    assert result.errors is not None
    assert "USD" in result.errors[0].message
    assert await rows(graphql, Model) == []


async def test_a_new_price_is_a_new_row_and_the_old_one_stays(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    made = await create(
        graphql, admin, provider=provider, name="m", price={"input": "1", "output": "2"}
    )
    id = made["model"]["id"]
    later = (datetime.now(UTC) + timedelta(days=7)).replace(microsecond=0)

    now = await graphql.data(
        SET_PRICE, admin, input={"model": id, "price": {"input": "3", "output": "4"}}
    )
    then = await graphql.data(
        SET_PRICE,
        admin,
        input={
            "model": id,
            "price": {"input": "5", "output": "6"},
            "validFrom": later.isoformat(),
        },
    )

    assert now["setModelPrice"]["model"]["currentPrice"] == {"input": "3"}
    shown = then["setModelPrice"]["model"]
    assert shown["currentPrice"] == {"input": "3"}
    assert shown["prices"]["totalCount"] == 3
    assert [price["input"] for price in shown["prices"]["nodes"]] == ["5", "3", "1"]
    assert shown["prices"]["nodes"][0]["validFrom"] == later.isoformat().replace("+00:00", "Z")


async def test_a_price_does_not_begin_in_the_past(
    graphql: GraphQL, admin: Principal, provider: str
) -> None:
    made = await create(graphql, admin, provider=provider, name="m")
    input = {
        "model": made["model"]["id"],
        "price": {"input": "1", "output": "1"},
        "validFrom": "2020-01-01T00:00:00Z",
    }

    refused = await graphql.data(SET_PRICE, admin, input=input)

    assert refused["setModelPrice"]["field"] == "validFrom"
    assert await rows(graphql, Price) == []
