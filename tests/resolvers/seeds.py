"""Writes many providers with models, prices and keys at once."""

from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from db.models.credential import Credential
from db.models.model import Model, Price
from db.models.provider import Provider
from db.session import Database

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def seed(database: Database, providers: int, models_each: int = 2) -> None:
    """`p000` … with models `m000` … of two prices each, and two keys for each provider."""
    made = [
        Provider(
            id=uuid7(), slug=f"p{n:03}", name=f"P {n}", type="OPENAI", base_url="https://x.example"
        )
        for n in range(providers)
    ]
    models = [
        Model(
            id=uuid7(),
            provider_id=provider.id,
            name=f"m{n:03}",
            canonical_name=f"m{n:03}",
            display_name=f"M {n}",
        )
        for provider in made
        for n in range(models_each)
    ]
    prices = [
        Price(
            model_id=model.id,
            valid_from=LONG_AGO.replace(year=year),
            input=1,
            output=2,
            source="test",
        )
        for model in models
        for year in (2020, 2021)
    ]
    keys = [
        Credential(
            provider_id=provider.id,
            owner_kind="SYSTEM",
            name=name,
            ciphertext=b"",
            master_key_id="",
            destination="https://x.example",
            mask="…",
            fingerprint=name,
        )
        for provider in made
        for name in ("one", "two")
    ]
    async with database.write(None) as session:
        session.add_all(made)
        await session.flush()
        session.add_all([*models, *keys])
        await session.flush()
        session.add_all(prices)
