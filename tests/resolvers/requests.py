"""Finished requests for tests, settled as the batch writer settles them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from db.models.model import Model, Price
from db.models.provider import Provider
from db.queries.settlement import Settlements
from tests.resolvers.conftest import GraphQL
from tests.usage import id_at, usage_row

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


async def settle(graphql: GraphQL, *rows: dict[str, Any]) -> None:
    """Rows a second apart, the first at START."""
    made = []
    for second, row in enumerate(rows):
        at = row.pop("at", START + timedelta(seconds=second))
        made.append(usage_row(**{"id": id_at(at), "started_at": at, "decision": None, **row}))
    await Settlements(graphql.database).settle(made)


async def deployed(graphql: GraphQL) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
    """A provider `local`, its model `small`, and the model's price."""
    provider = Provider(
        slug="local", name="Local", type="CUSTOM", base_url="https://x.test", options={}
    )
    async with graphql.database.write(None) as session:
        session.add(provider)
        await session.flush()
        model = Model(
            provider_id=provider.id, name="small", canonical_name="small", display_name="Small"
        )
        session.add(model)
        await session.flush()
        price = Price(
            model_id=model.id, valid_from=START, input=2_000_000, output=8_000_000, source="test"
        )
        session.add(price)
    return provider.id, model.id, price.id
