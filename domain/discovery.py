"""What a provider says it serves, against what is held here: the difference, and applying it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.keyset import Row
from db.queries import model as queries
from db.queries.provider import locked_provider
from db.session import AsyncSession
from domain.errors import InvalidInput, NotFound
from domain.listed import ListedModel, ListedPrice
from domain.model import create_model, set_price, update_model

SOURCE = "discovery"
MOST_APPLIED = 100
"""Entries at once: every other change of the configuration waits for them."""


class DiscoveryKind(StrEnum):
    """What became of a model since it was written down here."""

    NEW = "NEW"
    GONE = "GONE"
    REPRICED = "REPRICED"


@dataclass(frozen=True, slots=True)
class Change:
    """`listed` is None for what is GONE, `held` (a model's row) for what is NEW.

    `price` is the row of the price that is valid here now.
    """

    kind: DiscoveryKind
    name: str
    listed: ListedModel | None = None
    held: Row | None = None
    price: Row | None = None


async def difference(
    session: AsyncSession, provider_id: uuid.UUID, listed: Sequence[ListedModel], now: datetime
) -> list[Change]:
    """New ones, then gone, then re-priced, each by name. Models switched off are not gone."""
    held = {row.name: row for row in await queries.models_of_provider(session, provider_id)}
    prices = await queries.current_prices(session, [row.id for row in held.values()], now)
    names = {one.name for one in listed}
    new = [Change(DiscoveryKind.NEW, one.name, one) for one in listed if one.name not in held]
    gone = [
        Change(DiscoveryKind.GONE, name, held=row)
        for name, row in held.items()
        if row.enabled and name not in names
    ]
    repriced = [
        Change(DiscoveryKind.REPRICED, one.name, one, held[one.name], price)
        for one in listed
        if one.name in held
        and one.price is not None
        and differs(one.price, price := prices.get(held[one.name].id))
    ]
    return [*by_name(new), *by_name(gone), *by_name(repriced)]


def by_name(found: Iterable[Change]) -> list[Change]:
    return sorted(found, key=lambda change: change.name)


def differs(told: ListedPrice, price: Row | None) -> bool:
    """A component that the provider does not tell is no difference."""
    if price is None or (told.input, told.output) != (price.input, price.output):
        return True
    return any(
        new is not None and new != (price.input if old is None else old)
        for new, old in (
            (told.cached_input, price.cached_input),
            (told.cache_write, price.cache_write),
            (told.cache_write_1h, price.cache_write_1h),
        )
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """One change to make. `values` are columns, `price` nano-USD per 1M tokens by column."""

    kind: DiscoveryKind
    name: str
    values: Mapping[str, Any]
    price: Mapping[str, int] | None


async def apply_discovery(
    session: AsyncSession, provider_id: uuid.UUID, chosen: Sequence[Chosen], now: datetime
) -> list[Row]:
    """All of them or none: NEW is added, GONE switched off, REPRICED priced from now on.

    The models as they are then, in the order of `chosen`.
    """
    if not 1 <= len(chosen) <= MOST_APPLIED:
        raise InvalidInput("entries", f"Choose 1 to {MOST_APPLIED} entries at once.")
    if await locked_provider(session, provider_id) is None:
        raise NotFound("There is no such provider.")
    held = {row.name: row.id for row in await queries.models_of_provider(session, provider_id)}
    applied = []
    for each in chosen:
        if each.kind is DiscoveryKind.NEW:
            values = {"name": each.name, **each.values}
            row = await create_model(session, provider_id, values, each.price, now, source=SOURCE)
        elif each.name not in held:
            raise NotFound(f"There is no model `{each.name}` at this provider.")
        elif each.kind is DiscoveryKind.GONE:
            row = await update_model(session, held[each.name], None, {"enabled": False})
        elif each.price is None:
            raise InvalidInput("entries", f"`{each.name}` needs its new price.")
        else:
            id = held[each.name]
            row, _ = await set_price(session, id, each.price, None, now, source=SOURCE)
        applied.append(row)
    return applied
