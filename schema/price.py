"""Dated prices, in US dollars per 1M tokens."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Self

import strawberry

from auth.policies import Policy
from db.keyset import Listed, Ordering, Row
from db.queries import model as queries
from db.queries.model import PriceQuery
from domain.model import nano_per_million
from schema.context import Context
from schema.fields import attribute, object_type
from schema.listing import Listing
from schema.node import Node, global_id
from schema.scalars import USD


@object_type(
    Policy.SIGNED_IN,
    description="What a model costs from a moment on, in US dollars per 1M tokens.",
)
class Price(Node):
    valid_from: datetime
    input: USD
    output: USD
    cached_input: USD | None = attribute(description="Null: charged as input.")
    cache_write: USD | None = attribute(description="Null: charged as input.")
    cache_write_1h: USD | None = attribute(
        description="Of what the cache keeps an hour. Null: charged as any other cache write."
    )
    reasoning: USD | None = attribute(description="Null: charged as output.")
    source: str = attribute(description="Where the figures come from.")

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=global_id("Price", row.id),
            valid_from=row.valid_from,
            input=USD(nano_per_million(row.input)),
            output=USD(nano_per_million(row.output)),
            cached_input=_usd(row.cached_input),
            cache_write=_usd(row.cache_write),
            cache_write_1h=_usd(row.cache_write_1h),
            reasoning=_usd(row.reasoning),
            source=row.source,
        )

    @classmethod
    async def fetch(cls, context: Context, keys: list[uuid.UUID]) -> Sequence[Self | None]:
        only_served = not context.caller.is_admin
        async with context.read() as session:
            found = await queries.prices_by_id(session, keys, only_served=only_served)
        return [cls.of(found[key]) if key in found else None for key in keys]


def _usd(pico: int | None) -> USD | None:
    return None if pico is None else USD(nano_per_million(pico))


async def current_prices(context: Context, model_ids: list[uuid.UUID]) -> list[Price | None]:
    async with context.read() as session:
        found = await queries.current_prices(session, model_ids, datetime.now(UTC))
    return [Price.of(found[key]) if key in found else None for key in model_ids]


def _plan_prices(context: Context, asked: PriceQuery) -> tuple[Listed, Ordering]:
    return queries.prices(asked)


PRICES = Listing(_plan_prices, Price.of)


@strawberry.input(description="US dollars per 1M tokens, with at most 6 decimal places.")
class PriceInput:
    input: USD
    output: USD
    cached_input: USD | None = strawberry.field(
        default=None, description="Left out: charged as input."
    )
    cache_write: USD | None = strawberry.field(
        default=None, description="Left out: charged as input."
    )
    cache_write_1h: USD | None = strawberry.field(
        default=None, description="Left out: charged as any other cache write."
    )
    reasoning: USD | None = strawberry.field(
        default=None, description="Left out: charged as output."
    )

    def amounts(self) -> dict[str, int]:
        """By column, only what was given."""
        return {name: nano for name, nano in asdict(self).items() if nano is not None}
