"""Takes the tests' database away, and gives it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool


async def end_connections(connection: AsyncConnection, database: str, application: str) -> int:
    """Terminate the server processes of one application; returns how many there were."""
    statement = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = :database AND application_name LIKE :application"
        " AND pid <> pg_backend_pid()"
    )
    found = {"database": database, "application": application}
    return int(await connection.scalar(statement, found) or 0)


@asynccontextmanager
async def server(server_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection beside the tests' database, each statement its own transaction."""
    url = server_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@asynccontextmanager
async def outage(server_url: str, database_url: str) -> AsyncIterator[None]:
    """Nobody reaches the database inside the block: its name is gone, its connections dead."""
    name = make_url(database_url).database
    assert name is not None
    async with server(server_url) as connection:
        await connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        await end_connections(connection, name, "%")
        await connection.execute(text(f'ALTER DATABASE "{name}" RENAME TO "{name}_away"'))
        try:
            yield
        finally:
            await connection.execute(text(f'ALTER DATABASE "{name}_away" RENAME TO "{name}"'))
            await connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
