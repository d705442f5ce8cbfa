"""The seeded catalogue: seven providers, their models, list prices, keys from the environment."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

from uuid_utils.compat import uuid7

from db.keyset import Row
from db.queries import catalogue as queries
from db.queries.credential import leave_credentials_behind
from db.queries.model import current_prices
from db.session import AsyncSession
from domain.audit import AuditAction, AuditObject, record
from domain.credential import create_credential
from domain.destination import destination
from domain.listprice import SOURCE, ListPrice, huggingface_routes, list_price
from domain.ports import Cipher
from domain.provider import DEFAULT_BASE_URLS
from domain.secret import Secret
from domain.snapshot import ProviderType

PROVIDERS: Mapping[str, tuple[str, ProviderType]] = {
    "openai": ("OpenAI", ProviderType.OPENAI),
    "anthropic": ("Anthropic", ProviderType.ANTHROPIC),
    "google": ("Google", ProviderType.GOOGLE),
    "openrouter": ("OpenRouter", ProviderType.OPENROUTER),
    "together": ("Together AI", ProviderType.TOGETHER),
    "cohere": ("Cohere", ProviderType.COHERE),
    "huggingface": ("Hugging Face", ProviderType.HUGGINGFACE),
}
"""Slug → (name, type)."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """How many rows the seed wrote; `unpriced` models have no known price."""

    providers: int
    models: int
    prices: int
    keys: int
    unpriced: int


def entries() -> list[dict[str, Any]]:
    """The packaged catalogue, Hugging Face's models once per route with a known price."""
    packaged = json.loads((files("db.seed") / "catalogue.json").read_text())["models"]
    found = []
    for entry in packaged:
        if entry["provider"] != "huggingface":
            found.append(entry)
            continue
        for route in huggingface_routes(entry["name"]):
            name = f"{entry['name']}:{route}"
            shown = f"{entry['display_name']} ({route})"
            found.append({**entry, "name": name, "display_name": shown})
    return found


async def seed(
    session: AsyncSession, cipher: Cipher, keys: Mapping[str, Secret], *, reset: bool
) -> Seeded:
    """Write what is missing; with `reset` the seeded rows get their seeded values back.

    `keys` maps provider slugs to system keys; a key that is already there is not added again.
    Rows made by hand are never touched. Running it twice writes nothing the second time.
    """
    now = datetime.now(UTC)
    await queries.lock_catalogue(session)
    made = await _put_providers(session, reset)
    ids = {slug: row.id for slug, row in (await _seeded_providers(session)).items()}
    known = [entry for entry in entries() if entry["provider"] in ids]
    priced = {(e["provider"], e["name"]): list_price(e["provider"], e["name"], now) for e in known}
    rows = [_model_row(e, ids[e["provider"]], priced[e["provider"], e["name"]]) for e in known]
    models = await queries.put_models(session, rows, restore=reset)
    prices = await _put_prices(session, ids, priced, now, reset)
    added = await _put_keys(session, cipher, ids, keys)
    unpriced = sum(price is None for price in priced.values())
    seeded = Seeded(made, models, prices, added, unpriced)
    if made or models or prices:
        told = {**asdict(seeded), "reset": reset}
        await record(session, AuditAction.SEED, AuditObject.CATALOGUE, None, after=told)
    return seeded


async def _seeded_providers(session: AsyncSession) -> dict[str, Row]:
    """Those of our slugs that are of our type: another type's was made by hand."""
    found = await queries.providers_by_slug(session, list(PROVIDERS))
    return {slug: row for slug, row in found.items() if row.type == PROVIDERS[slug][1]}


async def _put_providers(session: AsyncSession, reset: bool) -> int:
    """Keys of a provider that moves back to its own address are left behind, as in any move."""
    present = await queries.providers_by_slug(session, list(PROVIDERS))
    ours = await _seeded_providers(session)
    rows = [row for row in _provider_rows() if row["slug"] in ours or row["slug"] not in present]
    made = await queries.put_providers(session, rows, restore=reset)
    for slug, row in ours.items():
        type_ = PROVIDERS[slug][1]
        home = destination(type_, DEFAULT_BASE_URLS[type_])
        if reset and destination(type_, row.base_url) != home:
            await leave_credentials_behind(session, row.id, "The seed restored its address.")
    return made


def _provider_rows() -> list[dict[str, Any]]:
    return [
        {
            "id": uuid7(),
            "slug": slug,
            "name": name,
            "type": type_.value,
            "base_url": DEFAULT_BASE_URLS[type_],
            "region": None,
            "priority": 100,
            "options": {},
            "enabled": True,
        }
        for slug, (name, type_) in PROVIDERS.items()
    ]


def _model_row(
    entry: Mapping[str, Any], provider_id: uuid.UUID, price: ListPrice | None
) -> dict[str, Any]:
    """Where a dearer price holds beyond some length, the model is offered up to that length.

    Sound that costs more than text is not offered either: nothing is served at a price unknown.
    """
    unpriced = {"AUDIO"} if price and price.audio_apart else set()
    lengths = [entry["context_length"], price.up_to if price else None]
    known = entry.get("quality_date")
    return {
        "id": uuid7(),
        "provider_id": provider_id,
        "name": entry["name"],
        "canonical_name": entry["canonical_name"],
        "display_name": entry["display_name"],
        "context_length": min(length for length in lengths if length is not None),
        "max_output_tokens": entry["max_output_tokens"],
        "input_modalities": [m for m in entry["input_modalities"] if m not in unpriced],
        "output_modalities": entry["output_modalities"],
        "capabilities": entry["capabilities"],
        "level_pin": None,
        "quality": entry.get("quality"),
        "quality_source": entry.get("quality_source"),
        "quality_date": date.fromisoformat(known) if known else None,
        "enabled": True,
    }


async def _put_prices(
    session: AsyncSession,
    ids: Mapping[str, uuid.UUID],
    priced: Mapping[tuple[str, str], ListPrice | None],
    now: datetime,
    reset: bool,
) -> int:
    """A dated row where a model has none, or with `reset` where the list says otherwise."""
    models = await queries.model_ids(session, list(ids.values()))
    current = await current_prices(session, models.values(), now)
    rows = []
    for (slug, name), price in priced.items():
        id = models.get((ids[slug], name))
        before = current.get(id) if id else None
        if id is None or price is None or (before is not None and not reset):
            continue
        row = {
            "input": price.input,
            "output": price.output,
            "cached_input": price.cached_input,
            "cache_write": price.cache_write,
            "cache_write_1h": price.cache_write_1h,
            "reasoning": price.reasoning,
        }
        if before is None or any(getattr(before, kind) != value for kind, value in row.items()):
            rows.append({"id": uuid7(), "model_id": id, "valid_from": now, "source": SOURCE, **row})
    await queries.put_prices(session, rows)
    return len(rows)


async def _put_keys(
    session: AsyncSession,
    cipher: Cipher,
    ids: Mapping[str, uuid.UUID],
    keys: Mapping[str, Secret],
) -> int:
    added = 0
    for slug, secret in keys.items():
        if slug not in ids:
            continue
        present = await queries.system_fingerprints(session, ids[slug])
        if present.isdisjoint(cipher.fingerprints(secret)):
            await create_credential(
                session, cipher, ids[slug], secret, {"name": "environment", "weight": 1}
            )
            added += 1
    return added


def environment_keys(given: Callable[[str], str | None]) -> dict[str, Secret]:
    """System keys by provider slug, from what is `given` as `OPENAI_API_KEY` and its like."""
    found = {slug: (given(f"{slug.upper()}_API_KEY") or "").strip() for slug in PROVIDERS}
    return {slug: Secret(value) for slug, value in found.items() if value}


async def is_empty(session: AsyncSession) -> bool:
    """Whether the installation has no provider yet."""
    return not await queries.any_provider(session)
