"""The second wall: sessions opened for a caller run as a role that row-level security binds."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

ROLE = "fairlead_app"
"""Owns nothing, signs in nowhere, bypasses nothing. One for all databases of a server."""

_TRIES = 5
_LOCK = text("SELECT pg_advisory_xact_lock(5023170009)")
"""Replicas that start together give rights one after the other: PostgreSQL refuses two at once."""
_EXISTS = text("SELECT count(*) FROM pg_roles WHERE rolname = :role")
_IS_MEMBER = text(
    "SELECT count(*) FROM pg_auth_members"
    " WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = :role)"
    " AND member = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
)
_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
_RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {role}",
)


async def ensure_role(connection: AsyncConnection) -> bool:
    """Make the role, join it and give it its rights. False where the user may not make roles."""
    named = {"role": ROLE}
    made = await _until(
        connection,
        lambda: connection.scalar(_EXISTS, named),
        f"CREATE ROLE {ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    )
    if not made:
        return False
    if not await connection.scalar(_IS_SUPERUSER):
        joined = await _until(
            connection,
            lambda: connection.scalar(_IS_MEMBER, named),
            f"GRANT {ROLE} TO CURRENT_USER",
        )
        if not joined:
            return False
    await connection.execute(_LOCK)
    for right in _RIGHTS:
        await connection.execute(text(right.format(role=ROLE)))
    return True


async def _until(
    connection: AsyncConnection, holds: Callable[[], Awaitable[Any]], statement: str
) -> bool:
    """Run `statement` unless it `holds`; roles are the whole server's, so others may be first."""
    for _ in range(_TRIES):
        if await holds():
            return True
        try:
            async with connection.begin_nested():
                await connection.execute(text(statement))
        except DBAPIError:
            continue
    return bool(await holds())
