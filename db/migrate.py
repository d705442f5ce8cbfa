"""Brings a database to the newest migration."""

import re
from functools import cache
from importlib import import_module
from importlib.resources import files

import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection

from db.guard import ROLE, ensure_role
from db.session import AsyncEngine

log = structlog.get_logger(__name__)

_LOCK = 5_023_170_001
"""Advisory lock number: replicas that start together migrate one after the other."""

_REVISION = re.compile(r'^(down_revision|revision)\b[^=\n]*= "(\w+)"', re.MULTILINE)
_VERSION = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_AT = text("SELECT version_num FROM alembic_version")


@cache
def newest() -> str:
    """The revision that no other follows, read without alembic, which weighs 8 MB."""
    versions = (files("db") / "migrations" / "versions").iterdir()
    sources = [each.read_text() for each in versions if each.name.endswith(".py")]
    found: list[tuple[str, str]] = [m for source in sources for m in _REVISION.findall(source)]
    followed = {revision for kind, revision in found if kind == "down_revision"}
    (head,) = {revision for _, revision in found} - followed
    return head


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if connection.scalar(_VERSION) and connection.scalars(_AT).all() == [newest()]:
        return
    import_module("db.upgrade").upgrade(connection)


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
