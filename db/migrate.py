"""Brings a database to the newest migration."""

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection

from db.guard import ROLE, ensure_role
from db.session import AsyncEngine

log = structlog.get_logger(__name__)

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


async def migrate(engine: AsyncEngine) -> None:
    """Upgrade to head, in one transaction."""
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.run_sync(_upgrade)
        if not await ensure_role(connection):
            log.warning(
                "row-level security is not in force: this database user may not create roles",
                role=ROLE,
            )
