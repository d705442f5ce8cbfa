"""The seeded catalogue: true prices, whole after a reset, and nobody's own rows touched."""

import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from sqlalchemy import delete, func, insert, select, update

from auth.secrets import SecretBox, generate_master_key
from db.models.configuration import ConfigChange
from db.models.credential import Credential
from db.models.model import Model, Price
from db.models.provider import Provider
from db.queries.configuration import latest_change
from db.session import Database
from domain import catalogue
from domain.catalogue import PROVIDERS, Seeded, entries, environment_keys, is_empty
from domain.destination import credential_place
from domain.listprice import SOURCE, list_price
from domain.ports import Sealed
from domain.pricing import cost
from domain.provider import DEFAULT_BASE_URLS
from domain.secret import Secret
from domain.snapshot import Price as PriceValue
from domain.usage import TokenUsage

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEY = Secret("sk-proj-0123456789abcdefghij")


@pytest.fixture
def cipher() -> SecretBox:
    return SecretBox([generate_master_key()])


async def seed(
    database: Database, cipher: SecretBox, *, reset: bool = False, **keys: Secret
) -> Seeded:
    async with database.write(None) as session:
        return await catalogue.seed(session, cipher, keys, reset=reset)


async def rows(database: Database, statement: Any) -> list[Any]:
    async with database.read(None) as session:
        return list(await session.scalars(statement))


async def everything(database: Database) -> list[tuple[Any, ...]]:
    """Every row of the catalogue."""
    found: list[tuple[Any, ...]] = []
    async with database.read(None) as session:
        for table in (Provider.__table__, Model.__table__, Price.__table__, Credential.__table__):
            found += map(tuple, await session.execute(select(table).order_by("id")))
    return found


def test_the_packaged_models_are_chat_models_of_every_provider() -> None:
    counts = Counter(entry["provider"] for entry in entries())
    assert set(counts) == set(PROVIDERS)
    assert sum(counts.values()) >= 25
    for entry in entries():
        assert entry["output_modalities"] == ["TEXT"]
        assert "TEXT" in entry["input_modalities"]
        assert "STREAMING" in entry["capabilities"]
        assert entry["context_length"] > 0
        assert "embedding" not in entry["name"]


def test_a_name_is_seeded_once() -> None:
    names = Counter((entry["provider"], entry["name"]) for entry in entries())
    assert [name for name, times in names.items() if times > 1] == []


def test_quality_lies_on_routings_scale_and_names_its_source() -> None:
    known = [entry for entry in entries() if entry.get("quality") is not None]
    assert len(known) >= 25
    for entry in known:
        assert 0.40 <= entry["quality"] <= 0.95
        assert entry["quality_source"].startswith("models.dev: ")


def test_the_package_says_whose_data_it_is(checkout: Any) -> None:
    assert "MIT" in json.loads((files("db.seed") / "catalogue.json").read_text())["source"]
    assert "models.dev" in (checkout / "NOTICE").read_text()


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "openrouter", "cohere"])
def test_what_a_request_costs_is_what_the_price_package_says(provider: str) -> None:
    usage = TokenUsage(input=12_345, cached=2_000, output=777)
    compared = 0
    for entry in entries():
        found = list_price(provider, entry["name"], NOW) if entry["provider"] == provider else None
        if found is None:
            continue
        price = PriceValue(
            id=uuid.UUID(int=1),
            valid_from=0.0,
            input=found.input,
            cached_input=found.cached_input,
            cache_write=found.cache_write,
            output=found.output,
            reasoning=found.reasoning,
        )
        theirs = calc_price(
            Usage(input_tokens=12_345, cache_read_tokens=2_000, output_tokens=777),
            entry["name"],
            provider_id=provider,
            genai_request_timestamp=NOW,
        )
        assert cost(usage, price) == round(theirs.total_price * 10**9), entry["name"]
        compared += 1
    assert compared >= 5


def test_a_model_of_tiered_price_is_offered_up_to_where_it_gets_dearer() -> None:
    price = list_price("google", "gemini-2.5-pro", NOW)
    assert price is not None
    assert (price.input, price.output, price.up_to) == (1_250_000, 10_000_000, 200_000)


def test_an_unknown_price_is_none_and_not_zero() -> None:
    assert list_price("cohere", "command-a-plus-05-2026", NOW) is None
    assert list_price("openai", "gpt-of-tomorrow-nobody-made", NOW) is None
    assert list_price("local", "gpt-4o", NOW) is None
    assert list_price("huggingface", "openai/gpt-oss-20b", NOW) is None


async def test_a_first_seed_writes_all_of_it(database: Database, cipher: SecretBox) -> None:
    async with database.read(None) as session:
        assert await is_empty(session)
    done = await seed(database, cipher)
    found = {row.slug: row for row in await rows(database, select(Provider))}
    assert {slug: (row.type, row.base_url, row.enabled) for slug, row in found.items()} == {
        slug: (type_, DEFAULT_BASE_URLS[type_], True) for slug, (_, type_) in PROVIDERS.items()
    }
    models = await rows(database, select(Model))
    prices = await rows(database, select(Price))
    assert (len(found), len(models), len(prices)) == (done.providers, done.models, done.prices)
    assert done.models == len(entries()) == done.prices + done.unpriced
    assert {price.source for price in prices} == {SOURCE}
    assert done.keys == 0
    async with database.read(None) as session:
        assert not await is_empty(session)
        assert await latest_change(session) == 1


async def test_a_second_seed_writes_nothing(database: Database, cipher: SecretBox) -> None:
    first = await seed(database, cipher, openai=KEY)
    before = await everything(database)
    assert await seed(database, cipher, openai=KEY) == Seeded(0, 0, 0, 0, first.unpriced)
    assert await everything(database) == before
    assert len(await rows(database, select(ConfigChange))) == 2


async def test_a_seed_leaves_alone_what_was_changed_and_a_reset_restores_it(
    database: Database, cipher: SecretBox
) -> None:
    await seed(database, cipher)
    gpt = (await rows(database, select(Model).where(Model.name == "gpt-4o")))[0]
    async with database.write(None) as session:
        await session.execute(
            update(Model).where(Model.id == gpt.id).values(display_name="Mine", enabled=False)
        )
        await session.execute(update(Price).where(Price.model_id == gpt.id).values(output=1))
    changed = await everything(database)
    await seed(database, cipher)
    assert await everything(database) == changed

    done = await seed(database, cipher, reset=True)
    restored = (await rows(database, select(Model).where(Model.id == gpt.id)))[0]
    assert (restored.display_name, restored.enabled) == (gpt.display_name, True)
    assert restored.version == gpt.version + 1
    prices = await rows(
        database, select(Price).where(Price.model_id == gpt.id).order_by(Price.valid_from)
    )
    assert [price.output for price in prices] == [1, 10_000_000]
    assert done.prices == 1


async def test_a_reset_touches_no_row_made_by_hand(database: Database, cipher: SecretBox) -> None:
    await seed(database, cipher)
    id = uuid.uuid4()
    async with database.write(None) as session:
        await session.execute(delete(Provider).where(Provider.slug == "together"))
        openai = await session.scalar(select(Provider.id).where(Provider.slug == "openai"))
        for slug, key in (("local", id), ("together", uuid.uuid4())):
            values = {"id": key, "slug": slug, "name": "Mine", "type": "CUSTOM"}
            await session.execute(insert(Provider).values(**values, base_url="http://llm:1/v1"))
        for provider_id, name in ((id, "mine"), (openai, "ft:gpt-4o:mine")):
            await session.execute(
                insert(Model).values(
                    provider_id=provider_id, name=name, canonical_name="mine", display_name="Mine"
                )
            )
    mine = select(Model).where(Model.display_name == "Mine")
    before = [vars(row) for row in await rows(database, mine)]
    await seed(database, cipher, reset=True, together=KEY)

    assert [row.version for row in await rows(database, mine)] == [1, 1]
    assert len(before) == 2
    own = await rows(database, select(Provider).where(Provider.type == "CUSTOM"))
    assert {(row.slug, row.base_url, row.version) for row in own} == {
        ("local", "http://llm:1/v1", 1),
        ("together", "http://llm:1/v1", 1),
    }
    async with database.read(None) as session:
        of_own = select(func.count()).select_from(Model).join(Provider)
        assert await session.scalar(of_own.where(Provider.type == "CUSTOM")) == 1
    assert await rows(database, select(Credential)) == []


async def test_a_key_of_the_environment_becomes_a_sealed_system_key(
    database: Database, cipher: SecretBox
) -> None:
    assert (await seed(database, cipher, openai=KEY)).keys == 1
    (row,) = await rows(database, select(Credential))
    assert (row.owner_kind, row.state, row.mask) == ("SYSTEM", "ACTIVE", "sk-…ghij")
    assert row.destination == "https://api.openai.com"
    assert KEY.reveal().encode() not in row.ciphertext
    place = credential_place(row.id, row.version, row.destination)
    assert cipher.open(Sealed(row.ciphertext, row.master_key_id), place).reveal() == KEY.reveal()


async def test_a_reset_that_moves_a_provider_home_leaves_its_other_keys_behind(
    database: Database, cipher: SecretBox
) -> None:
    await seed(database, cipher)
    async with database.write(None) as session:
        proxy = "https://proxy.example/v1"
        await session.execute(
            update(Provider).where(Provider.slug == "openai").values(base_url=proxy)
        )
    await seed(database, cipher, openai=KEY)
    await seed(database, cipher, reset=True, openai=KEY)
    found = await rows(database, select(Credential).order_by(Credential.created_at))
    assert [(row.state, row.destination) for row in found] == [
        ("NEEDS_KEY", "https://proxy.example"),
        ("ACTIVE", "https://api.openai.com"),
    ]


def test_keys_are_read_from_the_documented_variables() -> None:
    names = {f"{slug.upper()}_API_KEY": f"key-of-{slug}" for slug in PROVIDERS}
    assert set(names) == {
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "OPENROUTER_API_KEY",
        "TOGETHER_API_KEY",
        "GOOGLE_API_KEY",
        "COHERE_API_KEY",
        "HUGGINGFACE_API_KEY",
    }
    found = environment_keys({**names, "COHERE_API_KEY": "  ", "PATH": "/bin"}.get)
    assert {slug: key.reveal() for slug, key in found.items()} == {
        slug: f"key-of-{slug}" for slug in PROVIDERS if slug != "cohere"
    }


async def test_a_key_of_the_environment_is_known_under_a_promoted_master_key(
    database: Database,
) -> None:
    old, new = generate_master_key(), generate_master_key()
    assert (await seed(database, SecretBox([old]), openai=KEY)).keys == 1
    assert (await seed(database, SecretBox([new, old]), openai=KEY)).keys == 0
