"""A real PostgreSQL for every test: one migrated template, one database a worker."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.models import Base
from db.session import AsyncEngine, Database, create_engine, sqlstate

pytest_plugins = ["tests.provider.fixtures"]

_KEEP = {"alembic_version"}
_DEADLOCK = "40P01"
_SERVER = "FAIRLEAD_TEST_DATABASE_URL"
_FOLDER = "FAIRLEAD_TEST_SERVER_FOLDER"
_UNSAFE_BUT_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-policies", action="store_true", help="Write tests/policies/expected.txt anew."
    )
    parser.addoption("--naughty", action="store_true", help="Try every odd text in every input.")
    parser.addoption("--leave", type=int, default=1_000, help="How many clients leave.")


def pytest_configure() -> None:
    """Name one folder for the embedded server of this run: xdist's workers inherit it."""
    if _SERVER not in os.environ and _FOLDER not in os.environ:
        os.environ[_FOLDER] = f"{tempfile.gettempdir()}/fairlead-{secrets.token_hex(8)}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _FOLDER in os.environ:
        shutil.rmtree(os.environ[_FOLDER], ignore_errors=True)


def _open_folder() -> Path:
    """A temporary folder that the user who runs PostgreSQL for root can enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="fairlead-"))
    folder.chmod(0o755)
    return folder


def _driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


async def administering(server_url: str, *statements: str) -> None:
    """Run statements that no transaction may hold."""
    admin = create_async_engine(
        _driver_url(server_url), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    async with admin.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await admin.dispose()


async def _make_database(server_url: str, name: str) -> str:
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    await administering(server_url, drop, f'CREATE DATABASE "{name}"')
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()
    return url


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server on which tests may create databases: an embedded one unless named."""
    if _SERVER in os.environ:
        yield os.environ[_SERVER]
        return
    server = EmbeddedPostgres(Path(os.environ[_FOLDER]), settings=_UNSAFE_BUT_QUICK)
    with asyncio.Runner() as runner:
        yield runner.run(server.start())
        runner.run(server.stop())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Like `tmp_path`, but embedded servers can use it when the tests run as root."""
    folder = _open_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def database_url(server_url: str) -> str:
    """This worker's own database, migrated."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "solo")
    return asyncio.run(_make_database(server_url, f"fairlead_test_{worker}_{os.getpid()}"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The worker's database with every table empty."""
    engine = create_engine(database_url)
    tables = ", ".join(f'"{t.name}"' for t in Base.metadata.sorted_tables if t.name not in _KEEP)
    try:
        await _empty(engine, tables)
    except DBAPIError as error:
        # A server that was killed may have left a statement at work, whose locks cross ours.
        if sqlstate(error) != _DEADLOCK:
            raise
        await _empty(engine, tables)
    yield Database(engine)
    await engine.dispose()


async def _empty(engine: AsyncEngine, tables: str) -> None:
    async with engine.begin() as connection:
        # As superuser, past the trigger that keeps the audit log append-only.
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(f"TRUNCATE {tables} CASCADE"))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The repository's root."""
    return Path(__file__).parent.parent
