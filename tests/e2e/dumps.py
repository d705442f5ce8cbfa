"""What whoever reads the database of an installation sees: by pg_dump, COPY, and its views."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from db.binaries import find_binaries

Look = Callable[[str, bytes], None]
VIEWS = ("pg_stat_activity", "pg_settings", "pg_prepared_statements", "pg_stats", "pg_roles")
"""Where statements, settings and samples of columns are shown to a superuser."""


def database_in(folder: Path) -> dict[str, Any]:
    """How to reach the embedded server as its superuser."""
    data = folder / "data" / "postgresql"
    lines = (data / "postgres" / "postmaster.pid").read_text().splitlines()
    return {"host": lines[4], "port": int(lines[3]), "password": (data / "password").read_text()}


async def names_of(database: asyncpg.Connection) -> list[str]:
    found = await database.fetch(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    return [row[0] for row in found]


async def copy_out(database: asyncpg.Connection, look: Look) -> None:
    """Every table, and what the server shows of itself."""
    tables = [(name, f"SELECT * FROM {name}") for name in await names_of(database)]
    for name, query in (*tables, *((each, f"SELECT * FROM {each}") for each in VIEWS)):
        rows: list[bytes] = []

        async def keep(data: bytes, rows: list[bytes] = rows) -> None:
            rows.append(data)

        await database.copy_from_query(query, output=keep)
        look(f"tables:{name}", b"".join(rows))


def pg_dump(folder: Path) -> bytes:
    """As an operator makes a backup (docs/operations.md), in plain text, roles included."""
    reached = database_in(folder)
    programs = find_binaries(None, None).folder
    asked = {
        "PGHOST": reached["host"],
        "PGPORT": str(reached["port"]),
        "PGPASSWORD": reached["password"],
        "PGUSER": "fairlead",
    }
    made = b""
    for program, *options in (
        ("pg_dump", "--inserts", "-d", "fairlead"),
        ("pg_dumpall", "--globals-only"),
    ):
        command = [str(programs / program), *options]
        made += subprocess.run(
            command, env=os.environ | asked, capture_output=True, check=True
        ).stdout
    return made
