"""Runs migrations by alembic, as a process: `python -m db.upgrade`, the database's URL on stdin."""

import asyncio
import sys

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

from db.session import create_engine

_LOCK = 5_023_170_001
"""Advisory lock number: replicas that start together migrate one after the other."""


def config_for(connection: Connection) -> Config:
    """Alembic's configuration, bound to an open connection."""
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(config_for(connection), "head")


async def upgrade(url: str) -> None:
    """To the newest, in one transaction."""
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.run_sync(_upgrade)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(upgrade(sys.stdin.read()))
