"""Brings a database to the newest migration."""

import asyncio
import os
import re
import sys
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path

import structlog
from sqlalchemy import text

import db
from db.guard import ROLE, ensure_role
from db.session import AsyncEngine

log = structlog.get_logger(__name__)

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


class MigrationError(RuntimeError):
    """Migrations failed; the message is the last that they said."""


async def migrate(engine: AsyncEngine) -> None:
    """Upgrade to head, in one transaction.

    Raises what the database raises when it is away, and `MigrationError`.
    """
    async with engine.connect() as connection:
        there = await connection.scalar(_VERSION)
        at = (await connection.scalars(_AT)).all() if there else []
    if at != [newest()]:
        await _upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        if not await ensure_role(connection):
            log.warning(
                "row-level security is not in force: this database user may not create roles",
                role=ROLE,
            )


async def _upgrade(engine: AsyncEngine) -> None:
    """In a process of its own, or this one would hold what only migrations need as long as it
    serves."""
    root = Path(db.__file__).parent.parent
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "db.upgrade"),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    url = engine.url.render_as_string(hide_password=False)
    try:
        _, said = await process.communicate(url.encode())
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode:
        raise MigrationError(said.decode(errors="replace").strip().rpartition("\n")[2])
