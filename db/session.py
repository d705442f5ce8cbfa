"""The engine, and the two ways to borrow a connection from it."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from db.guard import ROLE

__all__ = [
    "DATABASE_AWAY",
    "Actor",
    "AsyncConnection",
    "AsyncEngine",
    "AsyncSession",
    "Caller",
    "Database",
    "NotPrepared",
    "actor_of",
    "create_engine",
]

DATABASE_AWAY = (OperationalError, InterfaceError, OSError, TimeoutError)
"""What a caller sees when the server cannot be reached; `DBAPIError.connection_invalidated` too."""

_USED, _QUIET = "used", 10.0
"""When a pooled connection was last given back, and how many seconds later it is asked again."""

_AWAY_STATES = ("08", "28", "3D", "53", "55000", "57P", "25006")
"""Connection, sign-in, no such database, out of resources, one that takes no connections, shutting
down or starting, read-only."""


_STARTING = "57P03"


class Caller(Protocol):
    """Whom a session is opened for: what row-level security may know of a principal."""

    @property
    def user_id(self) -> uuid.UUID: ...
    @property
    def organization_id(self) -> uuid.UUID | None: ...
    @property
    def organization_role(self) -> str | None: ...
    @property
    def role(self) -> str: ...
    @property
    def api_key_id(self) -> uuid.UUID | None: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who answers for what a session changes; all None: the operator, or Fairlead itself."""

    user_id: uuid.UUID | None = None
    api_key_id: uuid.UUID | None = None
    request_id: uuid.UUID | None = None


_SYSTEM = Actor()
_ACTOR = "actor"


def actor_of(session: AsyncSession) -> Actor:
    """For whom `session` was opened."""
    actor: Actor = session.info.get(_ACTOR, _SYSTEM)
    return actor


_FOR_CALLER = text(
    "SELECT set_config('fairlead.user_id', :user, true),"
    " set_config('fairlead.organization_id', :organization, true),"
    " set_config('fairlead.governed_id', :governed, true),"
    " set_config('fairlead.role', :role, true),"
    # Rules of rows bind neither owners nor superusers: go on as a role that is neither.
    " set_config('role', coalesce((SELECT rolname FROM pg_roles WHERE rolname = :guard"
    " AND pg_has_role(current_user, oid, 'MEMBER')), 'none'), true)"
)


def create_engine(
    url: str, *, pool_size: int = 10, statement_timeout_ms: int = 5_000
) -> AsyncEngine:
    """An asyncpg engine. `url` is `postgresql://…` as libpq takes it, `sslmode` included."""
    place = make_url(url).set(drivername="postgresql+asyncpg")
    if "sslmode" in place.query:
        place = place.difference_update_query(["sslmode"]).update_query_dict(
            {"ssl": place.query["sslmode"]}
        )
    engine = create_async_engine(
        place,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,  # an error with its values would be logged
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": "fairlead",
                "statement_timeout": str(statement_timeout_ms),
                "timezone": "UTC",
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", partial(_see_whether_alive, engine.dialect))
    event.listen(engine.sync_engine, "checkin", _remember_when)
    return engine


def _see_whether_alive(dialect: Any, connection: Any, record: Any, _proxy: Any) -> None:
    """Let go of a connection, and of its whole pool, when the server does not answer any more.

    Asking takes three round trips, so it is done only after some quiet: a connection that was
    closed from the other side knows it by itself.
    """
    used = record.info.get(_USED)
    if used is None:
        return
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if time.monotonic() - used < _QUIET:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        if not dialect.is_disconnect(error, connection, None):
            raise
        raise InvalidatePoolError from error


def _remember_when(_connection: Any, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five-character code of an error, empty without one."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


class NotPrepared(ConnectionError):
    """The schema there may be another release's: nothing is read or written before it is ours."""


def database_is_away(error: BaseException) -> bool:
    """Whether `error` says that the server cannot serve, and not that a statement is wrong."""
    if isinstance(error, (*DATABASE_AWAY, PoolTimeout)):
        return True
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or sqlstate(error).startswith(_AWAY_STATES)


def database_is_late(error: BaseException) -> bool:
    """Whether the server is there, and starting, or too busy to answer in time."""
    return isinstance(error, TimeoutError) or sqlstate(error) == _STARTING


class Database:
    """Hands out sessions, each opened for somebody; None means the system itself.

    A session is never shared between resolvers: GraphQL runs sibling fields
    concurrently, and an `AsyncSession` serves one task at a time. While it is not `prepared`
    it counts as away.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.prepared = True
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._glances = async_sessionmaker(alone, expire_on_commit=False)

    @asynccontextmanager
    async def read(self, caller: Caller | None) -> AsyncIterator[AsyncSession]:
        """A short read: rolled back at the end, whatever happened.

        For a caller row-level security holds, for the system itself (None) nothing does.
        """
        self._check()
        async with self._sessions() as session:
            await _enter(session, caller)
            yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncSession]:
        """For statements of the system's own that are asked often: each stands alone, in one round
        trip where a transaction takes three."""
        self._check()
        async with self._glances() as session:
            yield session

    @asynccontextmanager
    async def write(
        self, caller: Caller | None, request_id: uuid.UUID | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        `request_id` is of the request that asked for it, for the audit log.
        """
        self._check()
        async with self._sessions.begin() as session:
            if caller is not None:
                session.info[_ACTOR] = Actor(caller.user_id, caller.api_key_id, request_id)
            await _enter(session, caller)
            yield session

    def _check(self) -> None:
        if not self.prepared:
            raise NotPrepared("The database is not ready yet.")


async def _enter(session: AsyncSession, caller: Caller | None) -> None:
    if caller is not None:
        organization = "" if caller.organization_id is None else str(caller.organization_id)
        await session.execute(
            _FOR_CALLER,
            {
                "user": str(caller.user_id),
                "organization": organization,
                "governed": organization if caller.organization_role == "ADMIN" else "",
                "role": caller.role,
                "guard": ROLE,
            },
        )
