"""Reads and writes of models and their dated prices."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    any_,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert

from db.batch import among
from db.keyset import Key, Listed, Ordering, Row
from db.models.model import Model, Price
from db.queries.provider import PROVIDERS
from db.session import AsyncSession

MODELS: Table = Model.metadata.tables[Model.__tablename__]
PRICES: Table = Price.metadata.tables[Price.__tablename__]

_REFERENCE: ColumnElement[str] = PROVIDERS.c.slug + "/" + MODELS.c.name
_JOINED = select(
    *MODELS.c, PROVIDERS.c.slug.label("provider_slug"), _REFERENCE.label("reference")
).join_from(MODELS, PROVIDERS)
_ID = Key(MODELS.c.id, uuid.UUID)

_BLENDED = (
    select(3 * PRICES.c.input + PRICES.c.output)
    .where(PRICES.c.model_id == MODELS.c.id, PRICES.c.valid_from <= func.now())
    .order_by(PRICES.c.valid_from.desc())
    .limit(1)
    .scalar_subquery()
)
_NANO_PER_MILLION = 250
"""Four tokens' pico-USD as nano-USD per 1M tokens."""

ORDERS: Mapping[str, tuple[Key, ...]] = {
    "REFERENCE": (Key(PROVIDERS.c.slug, str), Key(MODELS.c.name, str)),
    "NAME": (Key(MODELS.c.display_name, str), _ID),
    "CONTEXT_LENGTH": (Key(func.coalesce(MODELS.c.context_length, 0), int), _ID),
    "QUALITY": (Key(func.coalesce(MODELS.c.quality, -1.0), float), _ID),
    "CREATED": (_ID,),
    "PRICE": (Key(func.coalesce(_BLENDED, -1), int), _ID),
}
"""PRICE is that of this moment, blended 3:1; models of unknown price come before the cheapest."""


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """None means any. `only_served`: enabled models of enabled providers, what users may see."""

    provider: uuid.UUID | None = None
    search: str | None = None
    ids: frozenset[uuid.UUID] | None = None
    capabilities: tuple[str, ...] | None = None
    enabled: bool | None = None
    canonical_name: str | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    least_context: int | None = None
    priced: bool | None = None
    price_from: int | None = None
    price_to: int | None = None
    only_served: bool = False
    order: str = "REFERENCE"
    descending: bool = False


def models(query: ModelQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by provider."""
    statement = _seen(query.only_served)
    if query.provider is not None:
        statement = statement.where(MODELS.c.provider_id == query.provider)
    if query.search:
        found = [
            column.icontains(query.search, autoescape=True)
            for column in (_REFERENCE, MODELS.c.display_name, MODELS.c.canonical_name)
        ]
        statement = statement.where(or_(*found))
    if query.ids is not None:
        statement = statement.where(among(MODELS.c.id, query.ids))
    if query.capabilities is not None:
        statement = statement.where(MODELS.c.capabilities.contains(list(query.capabilities)))
    if query.enabled is not None:
        statement = statement.where(MODELS.c.enabled == query.enabled)
    for wanted, column in (
        (query.input_modalities, MODELS.c.input_modalities),
        (query.output_modalities, MODELS.c.output_modalities),
    ):
        if wanted is not None:
            statement = statement.where(column.contains(list(wanted)))
    if query.canonical_name is not None:
        statement = statement.where(MODELS.c.canonical_name == query.canonical_name)
    if query.least_context is not None:
        statement = statement.where(MODELS.c.context_length >= query.least_context)
    statement = statement.where(*_priced(query))
    ordering = Ordering(f"model.{query.order}", ORDERS[query.order], query.descending)
    return Listed(statement, MODELS.c.provider_id), ordering


def _per_million() -> ColumnElement[int]:
    return _BLENDED * _NANO_PER_MILLION


def _priced(query: ModelQuery) -> list[ColumnElement[bool]]:
    """Conditions on the price of now; a range leaves out what has none."""
    found: list[ColumnElement[bool]] = []
    if query.priced is not None:
        found.append(_BLENDED.is_not(None) if query.priced else _BLENDED.is_(None))
    if query.price_from is not None:
        found.append(_per_million() >= query.price_from)
    if query.price_to is not None:
        found.append(_per_million() <= query.price_to)
    return found


def _seen(only_served: bool) -> Select[Any]:
    return _JOINED.where(MODELS.c.enabled, PROVIDERS.c.enabled) if only_served else _JOINED


async def models_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], *, only_served: bool
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such model or it is not to be seen."""
    found = await session.execute(_seen(only_served).where(among(MODELS.c.id, ids)))
    return {row.id: row for row in found}


async def model_by_id(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A model, whether or not it is served."""
    return (await models_by_id(session, [id], only_served=False)).get(id)


async def model_by_reference(
    session: AsyncSession, provider_slug: str, name: str, *, only_served: bool
) -> Row | None:
    found = await session.execute(
        _seen(only_served).where(PROVIDERS.c.slug == provider_slug, MODELS.c.name == name)
    )
    return found.one_or_none()


async def models_of_provider(session: AsyncSession, provider_id: uuid.UUID) -> Sequence[Row]:
    """All of them, enabled or not."""
    return (await session.execute(_JOINED.where(MODELS.c.provider_id == provider_id))).all()


async def locked_model(session: AsyncSession, id: uuid.UUID) -> Row | None:
    """A model that nobody else changes before this transaction ends."""
    found = await session.execute(_JOINED.where(MODELS.c.id == id).with_for_update(of=MODELS))
    return found.one_or_none()


async def add_model(session: AsyncSession, values: Mapping[str, Any]) -> Row | None:
    """Insert a model, or return None when its provider already has one of that name."""
    statement = insert(MODELS).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["provider_id", "name"])
    id = await session.scalar(statement.returning(MODELS.c.id))
    return None if id is None else await locked_model(session, id)


async def change_model(session: AsyncSession, id: uuid.UUID, values: Mapping[str, Any]) -> Row:
    """Set columns and count the version up."""
    await session.execute(
        update(MODELS).where(MODELS.c.id == id).values(version=MODELS.c.version + 1, **values)
    )
    return (await session.execute(_JOINED.where(MODELS.c.id == id))).one()


async def remove_model(session: AsyncSession, id: uuid.UUID) -> None:
    """Delete a model with its prices."""
    await session.execute(delete(MODELS).where(MODELS.c.id == id))


async def add_price(session: AsyncSession, values: Mapping[str, Any]) -> Row | None:
    """Insert a price, or return None when the model already has one valid from that moment."""
    statement = insert(PRICES).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["model_id", "valid_from"])
    return (await session.execute(statement.returning(*PRICES.c))).one_or_none()


async def current_prices(
    session: AsyncSession, model_ids: Iterable[uuid.UUID], at: datetime
) -> dict[uuid.UUID, Row]:
    """The price valid at `at` by model; absent when it is unknown."""
    found = await session.execute(
        select(PRICES)
        .ext(distinct_on(PRICES.c.model_id))
        .where(among(PRICES.c.model_id, model_ids), PRICES.c.valid_from <= at)
        .order_by(PRICES.c.model_id, PRICES.c.valid_from.desc())
    )
    return {row.model_id: row for row in found}


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """A model's prices by the moment they became valid, newest first."""

    descending: bool = True


def prices(query: PriceQuery) -> tuple[Listed, Ordering]:
    """The list that `query` describes, by model."""
    keys = (Key(PRICES.c.valid_from, datetime), Key(PRICES.c.id, uuid.UUID))
    ordering = Ordering("price.VALID_FROM", keys, query.descending)
    return Listed(select(PRICES), PRICES.c.model_id), ordering


async def prices_by_id(
    session: AsyncSession, ids: Iterable[uuid.UUID], *, only_served: bool
) -> dict[uuid.UUID, Row]:
    """Rows by key; absent when there is no such price or its model is not to be seen."""
    seen = _seen(only_served).with_only_columns(MODELS.c.id)
    found = await session.execute(
        select(PRICES).where(among(PRICES.c.id, ids), PRICES.c.model_id.in_(seen))
    )
    return {row.id: row for row in found}


async def priced_model(session: AsyncSession, price_id: uuid.UUID) -> tuple[Row, Row] | None:
    """A price with its model before it, whether or not it is served."""
    price = (await prices_by_id(session, [price_id], only_served=False)).get(price_id)
    model = None if price is None else await model_by_id(session, price.model_id)
    return None if price is None or model is None else (model, price)


async def cheapest_model(session: AsyncSession, provider_id: uuid.UUID) -> str | None:
    """The name of an enabled model there that talks, the cheapest if prices are known."""
    talks = literal("TEXT") == any_(MODELS.c.output_modalities)
    statement = (
        select(MODELS.c.name)
        .where(MODELS.c.provider_id == provider_id, MODELS.c.enabled, talks)
        .order_by(_BLENDED.asc().nulls_last(), MODELS.c.name)
        .limit(1)
    )
    found: str | None = await session.scalar(statement)
    return found
