"""Writes many providers with models, prices and keys at once."""

import uuid
from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from db.models.credential import Credential
from db.models.model import Model, Price
from db.models.provider import Provider
from db.models.user import Membership, Organization, User
from db.queries.configuration import record_change
from db.session import Database

YEARS = (2020, 2021)


def provider(n: int) -> Provider:
    name = f"p{n:03}"
    return Provider(id=uuid7(), slug=name, name=name, type="OPENAI", base_url="https://x.example")


def model(provider_id: uuid.UUID, n: int) -> Model:
    name = f"m{n:03}"
    return Model(
        id=uuid7(), provider_id=provider_id, name=name, canonical_name=name, display_name=name
    )


def price(model_id: uuid.UUID, year: int) -> Price:
    valid_from = datetime(year, 1, 1, tzinfo=UTC)
    return Price(model_id=model_id, valid_from=valid_from, input=1, output=2, source="test")


def key(provider_id: uuid.UUID, name: str) -> Credential:
    return Credential(
        provider_id=provider_id,
        owner_kind="SYSTEM",
        name=name,
        ciphertext=b"",
        master_key_id="",
        destination="https://x.example",
        mask="…",
        fingerprint=name,
    )


async def seed(database: Database, providers: int, models_each: int = 2) -> None:
    """`p000` … with models `m000` … of two prices each, and two keys for each provider."""
    made = [provider(n) for n in range(providers)]
    models = [model(each.id, n) for each in made for n in range(models_each)]
    async with database.write(None) as session:
        session.add_all(made)
        await session.flush()
        session.add_all(models)
        session.add_all(key(each.id, name) for each in made for name in ("one", "two"))
        await session.flush()
        session.add_all(price(each.id, year) for each in models for year in YEARS)
        await session.flush()
        await record_change(session, "model", None)


async def seed_people(database: Database, number: int) -> None:
    """As many people as organisations, each person in two of them; they come first by name."""
    people = [
        User(id=uuid7(), issuer="x", subject=f"s{n}", name=f"A{n:03}", role="USER")
        for n in range(number)
    ]
    places = [Organization(id=uuid7(), slug=f"a{n:03}", name=f"O {n}") for n in range(number)]
    async with database.write(None) as session:
        session.add_all([*people, *places])
        await session.flush()
        session.add_all(
            Membership(
                organization_id=places[(n + step) % number].id,
                user_id=person.id,
                role="MEMBER",
                origin="MANUAL",
            )
            for n, person in enumerate(people)
            for step in (0, 1)
        )
