"""A real PostgreSQL for every test: one migrated template, one database a worker."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.migrate import migrate
from db.models import Base
from db.session import Database, create_engine

pytest_plugins = ["tests.provider.fixtures"]

_KEEP = {"alembic_version"}


def _driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


async def _make_database(server_url: str, name: str) -> str:
    admin = create_async_engine(
        _driver_url(server_url), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    async with admin.connect() as connection:
        await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await admin.dispose()
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()
    return url


@pytest.fixture(scope="session")
def server_url() -> str:
    """A PostgreSQL server on which tests may create databases."""
    return os.environ["FAIRLEAD_TEST_DATABASE_URL"]


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """This worker's own database, migrated."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "solo")
    yield asyncio.run(_make_database(server_url, f"fairlead_test_{worker}_{os.getpid()}"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The worker's database with every table empty."""
    engine = create_engine(database_url)
    tables = ", ".join(f'"{t.name}"' for t in Base.metadata.sorted_tables if t.name not in _KEEP)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {tables} CASCADE"))
    yield Database(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The repository's root."""
    return Path(__file__).parent.parent
