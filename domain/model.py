"""The rules of models and their dated prices."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db.keyset import Row
from db.queries import model as queries
from db.queries.provider import locked_provider
from db.session import AsyncSession
from domain import checks
from domain.audit import AuditAction, AuditObject, record
from domain.errors import Conflict, InvalidInput, NotFound
from domain.references import refuse_when_named

_NANO_PER_PICO = 1_000
"""Nano-USD per 1M tokens for each pico-USD per token."""
_MOST_TOKENS = 100_000_000
_DEAREST = 10**15
"""Nano-USD per 1M tokens: a million dollars."""


def pico_per_token(field: str, nano_per_million: int) -> int:
    """A price per 1M tokens in nano-USD as pico-USD per token; exact or refused."""
    checks.between(field, nano_per_million, 0, _DEAREST)
    pico, rest = divmod(nano_per_million, _NANO_PER_PICO)
    if rest:
        raise InvalidInput(field, "Prices per 1M tokens have at most 6 decimal places.")
    return pico


def nano_per_million(pico_per_token: int) -> int:
    """The reverse of `pico_per_token`."""
    return pico_per_token * _NANO_PER_PICO


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(values)
    if "name" in result:
        checks.token("name", result["name"])
    if "canonical_name" in result:
        checks.token("canonicalName", result["canonical_name"])
    if "display_name" in result:
        result["display_name"] = checks.line("displayName", result["display_name"])
    for key, field in (
        ("context_length", "contextLength"),
        ("max_output_tokens", "maxOutputTokens"),
    ):
        if result.get(key) is not None:
            checks.between(field, result[key], 1, _MOST_TOKENS)
    quality = result.get("quality")
    if quality is not None and not 0.0 <= quality <= 1.0:
        raise InvalidInput("quality", "Quality lies between 0 and 1.")
    if result.get("quality_source") is not None:
        result["quality_source"] = checks.line("qualitySource", result["quality_source"])
    return result


MOST_AT_ONCE = 100
"""Models switched at once: every other change of the configuration waits for them."""


async def create_model(
    session: AsyncSession,
    provider_id: uuid.UUID,
    values: Mapping[str, Any],
    price: Mapping[str, int] | None,
    now: datetime,
    *,
    source: str = "manual",
) -> Row:
    """Make a model of column values, with its first price in nano-USD per 1M tokens if known.

    `source`: where the price comes from.
    """
    provider = await locked_provider(session, provider_id)
    if provider is None:
        raise NotFound("There is no such provider.")
    name = values["name"]
    defaults = {"display_name": name, "canonical_name": name.rpartition("/")[2]}
    row = await queries.add_model(
        session, _checked({"provider_id": provider_id, **defaults, **values})
    )
    if row is None:
        raise Conflict(f"`{provider.slug}` already has a model `{name}`.")
    after = row._asdict()
    if price is not None:
        after["price"] = _price_row(row.id, price, now, source)
        await queries.add_price(session, after["price"])
    await record(session, AuditAction.CREATE, AuditObject.MODEL, row.id, after=after)
    return row


async def update_model(
    session: AsyncSession, id: uuid.UUID, expected_version: int | None, patch: Mapping[str, Any]
) -> Row:
    """Set what `patch` names."""
    before = await _locked(session, id)
    if expected_version is not None and before.version != expected_version:
        raise Conflict(
            f"`{before.reference}` is at version {before.version}, not {expected_version}:"
            " read it anew."
        )
    row = await queries.change_model(session, id, _checked(patch))
    await record(session, AuditAction.UPDATE, AuditObject.MODEL, id, before=before, after=row)
    return row


async def set_models_enabled(
    session: AsyncSession, ids: Sequence[uuid.UUID], enabled: bool
) -> list[Row]:
    """Switch models on or off, all of them or none; in the order asked."""
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise InvalidInput("models", f"Name 1 to {MOST_AT_ONCE} models.")
    # In one order, or two calls could wait for each other.
    found = {id: await _locked(session, id) for id in sorted(set(ids))}
    for id, row in found.items():
        if row.enabled != enabled:
            found[id] = await update_model(session, id, None, {"enabled": enabled})
    return [found[id] for id in ids]


async def delete_model(session: AsyncSession, id: uuid.UUID, *, force: bool) -> Row:
    """Delete a model with its prices; refused while rules name it, unless forced."""
    row = await _locked(session, id)
    if not force:
        await refuse_when_named(session, f"`{row.reference}`", lambda name: name == row.reference)
    await queries.remove_model(session, id)
    await record(session, AuditAction.DELETE, AuditObject.MODEL, id, before=row)
    return row


async def set_price(
    session: AsyncSession,
    model_id: uuid.UUID,
    price: Mapping[str, int],
    valid_from: datetime | None,
    now: datetime,
    *,
    source: str = "manual",
) -> tuple[Row, Row]:
    """The model, and its new price in nano-USD per 1M tokens; earlier ones stay as they were."""
    model = await _locked(session, model_id)
    if valid_from is not None and valid_from < now:
        raise InvalidInput("validFrom", "A price cannot begin in the past.")
    begins = valid_from or now
    before = (await queries.current_prices(session, [model_id], begins)).get(model_id)
    row = await queries.add_price(session, _price_row(model_id, price, begins, source))
    if row is None:
        raise Conflict("There is already a price that begins at this moment.")
    await record(
        session, AuditAction.SET_PRICE, AuditObject.MODEL, model_id, before=before, after=row
    )
    return model, row


_PRICE_FIELDS = {
    "input": "price.input",
    "output": "price.output",
    "cached_input": "price.cachedInput",
    "cache_write": "price.cacheWrite",
    "cache_write_1h": "price.cacheWrite1h",
    "reasoning": "price.reasoning",
}


def _price_row(
    model_id: uuid.UUID, price: Mapping[str, int], at: datetime, source: str
) -> dict[str, Any]:
    amounts = {key: pico_per_token(_PRICE_FIELDS[key], nano) for key, nano in price.items()}
    return {"model_id": model_id, "valid_from": at, "source": source, **amounts}


async def _locked(session: AsyncSession, id: uuid.UUID) -> Row:
    row = await queries.locked_model(session, id)
    if row is None:
        raise NotFound("There is no such model.")
    return row
