"""Migrations on a database that has been in use."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from db.migrate import config_for, migrate
from db.models import Base
from db.session import AsyncEngine, create_engine
from tests.conftest import administering

FIRST = "7a112474adef"
PROVIDER = uuid.UUID(int=7)
INSERT = text(
    "INSERT INTO llm_providers (id, slug, name, type, base_url)"
    " VALUES (:id, 'old', 'Old', 'OPENAI', 'https://old.example')"
)


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """A database without any table."""
    name = f"fairlead_migrations_{uuid.uuid4().hex}"
    asyncio.run(administering(server_url, f'CREATE DATABASE "{name}"'))
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    asyncio.run(administering(server_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


def to_first(connection: Connection) -> None:
    command.upgrade(config_for(connection), FIRST)


def back_to_first(connection: Connection) -> None:
    command.downgrade(config_for(connection), FIRST)


def differences(connection: Connection) -> list[object]:
    found: list[object] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    return found


async def slugs(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT slug FROM llm_providers"))).scalars())


async def _there_and_back(url: str) -> None:
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(to_first)
        await connection.execute(INSERT, {"id": PROVIDER})

    await migrate(engine)

    assert await slugs(engine) == ["old"]
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    async with engine.begin() as connection:
        await connection.run_sync(back_to_first)
    assert await slugs(engine) == ["old"]
    await migrate(engine)
    await engine.dispose()


def test_every_migration_keeps_the_data_and_ends_at_the_models(empty: str) -> None:
    asyncio.run(_there_and_back(empty))
