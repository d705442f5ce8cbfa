"""The list prices and models that the packaged catalogue knows, against what is held here."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.queries import model as queries
from db.queries.provider import locked_provider
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.catalogue import PROVIDERS, entries
from domain.discovery import Change, DiscoveryKind, by_name, differs
from domain.errors import Conflict, NotFound
from domain.listed import ListedModel, ListedPrice
from domain.listprice import SOURCE, ListPrice, list_price
from domain.snapshot import Capability, Modality, ProviderType

_SLUGS = {type_: slug for slug, (_, type_) in PROVIDERS.items()}
"""By type, as the packaged catalogue calls a provider, whatever its slug is here."""


async def refresh(session: AsyncSession, provider_id: uuid.UUID, now: datetime) -> list[Change]:
    """New models, then re-priced ones, each by name; nothing is changed here.

    A price that holds up to some length of prompt is proposed only where the model is offered no
    further: beyond it every request would be charged too little.
    """
    provider = await locked_provider(session, provider_id)
    if provider is None:
        raise NotFound("There is no such provider.")
    slug = _SLUGS.get(ProviderType(provider.type))
    if slug is None:
        raise Conflict("The catalogue knows nothing of CUSTOM providers: ask it by discoverModels.")
    held = {row.name: row for row in await queries.models_of_provider(session, provider_id)}
    prices = await queries.current_prices(session, [row.id for row in held.values()], now)
    new = [
        Change(DiscoveryKind.NEW, entry["name"], _listed(entry, slug, now))
        for entry in entries()
        if entry["provider"] == slug and entry["name"] not in held
    ]
    repriced = []
    for name, row in held.items():
        told = list_price(slug, name, now)
        if told is not None and _holds(told, row.context_length):
            price = _price(told)
            if differs(price, before := prices.get(row.id)):
                listed = ListedModel(name, price=price)
                repriced.append(Change(DiscoveryKind.REPRICED, name, listed, row, before))
    found = [*by_name(new), *by_name(repriced)]
    after = {"catalogue": SOURCE, "changes": len(found)}
    await record(session, AuditAction.TEST, AuditObject.PROVIDER, provider_id, after=after)
    return found


def _holds(price: ListPrice, context_length: int | None) -> bool:
    return price.up_to is None or (context_length is not None and context_length <= price.up_to)


def _price(price: ListPrice) -> ListedPrice:
    return ListedPrice(
        price.input, price.output, price.cached_input, price.cache_write, price.cache_write_1h
    )


def _listed(entry: Mapping[str, Any], slug: str, now: datetime) -> ListedModel:
    """Offered as far as its price holds; sound that costs more than text is left out."""
    price = list_price(slug, entry["name"], now)
    lengths = [entry["context_length"], price.up_to if price else None]
    sound = {"AUDIO"} if price and price.audio_apart else set()
    return ListedModel(
        name=entry["name"],
        display_name=entry["display_name"],
        context_length=min(length for length in lengths if length is not None),
        max_output_tokens=entry["max_output_tokens"],
        input_modalities=tuple(Modality(m) for m in entry["input_modalities"] if m not in sound),
        output_modalities=tuple(Modality(m) for m in entry["output_modalities"]),
        capabilities=tuple(Capability(each) for each in entry["capabilities"]),
        price=None if price is None else _price(price),
    )
