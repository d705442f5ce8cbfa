"""Sets money aside for requests, and gives back what nobody will settle."""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func, select, text
from sqlalchemy.dialects import postgresql

from db.models.configuration import Process
from db.models.hold import Budget, Hold
from db.queries.usage import USAGE, first_id
from db.session import AsyncConnection, AsyncSession, Database

_HOLDS: Table = Hold.metadata.tables[Hold.__tablename__]
_BUDGETS: Table = Budget.metadata.tables[Budget.__tablename__]
_PROCESSES: Table = Process.metadata.tables[Process.__tablename__]

ORPHANED = timedelta(minutes=15)
"""A hold this old whose process has been silent for as long is given back."""
_MOST_ORPHANS = 1_000

_GRANT = """
    SELECT array_agg(granted ORDER BY place),
        array_agg(lacking ORDER BY place) FILTER (WHERE granted IS NULL),
        array_agg(room ORDER BY place) FILTER (WHERE granted IS NULL)
    FROM grant_holds(
        $1, $2::text::uuid[], $3::text::uuid[], $4::text::bigint[], $5::text::bigint[],
        $6::text::uuid[], $7::text::bigint[], $8::text::integer[], $9::text::integer[]
    ) WITH ORDINALITY AS each (granted, lacking, room, place)
"""
"""Arrays go as literals and come as values of one row: the driver looks at each element else."""
_SUBJECTS = {
    "API_KEY": USAGE.c.api_key_id,
    "USER": USAGE.c.user_id,
    "ORGANIZATION": USAGE.c.organization_id,
}
_PATIENCE = text("SET LOCAL statement_timeout = '30s'")


class HoldRequest(NamedTuple):
    """Nano-USD to set aside, at least `least`: of a wallet, and of budgets with their limits."""

    request_id: uuid.UUID
    wallet_id: uuid.UUID | None
    amount: int
    least: int
    budgets: tuple[tuple[uuid.UUID, int], ...] = ()


class Granted(NamedTuple):
    """`amount` None: refused, for `lacking` has only `room` left, None when it is frozen."""

    amount: int | None
    lacking: uuid.UUID | None
    room: int | None


class HoldDesk:
    """A connection of its own, on which one statement grants all that wait. One user at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None
        self._driver: Any = None

    async def grant(self, process_id: uuid.UUID, requests: Sequence[HoldRequest]) -> list[Granted]:
        """In order, while they fit; each as exact as if it were alone.

        Raises what the database raises; what became of the requests is then not known.
        """
        if not requests:
            return []
        accounts, limits, links, ends = _linked(requests)
        driver = self._driver or await self._open()
        try:
            found = await driver.fetch(
                _GRANT,
                process_id,
                _uuids([each.request_id for each in requests]),
                _uuids([each.wallet_id for each in requests]),
                _numbers([each.amount for each in requests]),
                _numbers([each.least for each in requests]),
                _uuids(accounts),
                _numbers(limits),
                _numbers(links),
                _numbers(ends),
            )
        except BaseException:
            await self.close()
            raise
        granted, lacking, rooms = found[0]
        if lacking is None:
            return [Granted(amount, None, None) for amount in granted]
        refused = zip([accounts[place - 1] for place in lacking], rooms, strict=True)
        return [
            Granted(None, *next(refused)) if amount is None else Granted(amount, None, None)
            for amount in granted
        ]

    async def close(self) -> None:
        """Give the connection up; the next grant takes another."""
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            with suppress(Exception):
                await asyncio.shield(_given_up(connection))

    async def _open(self) -> Any:
        connection = await self._database.engine.connect()
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            raw = await connection.get_raw_connection()
        except BaseException:
            await connection.close()
            raise
        self._connection, self._driver = connection, raw.driver_connection
        return self._driver


async def _given_up(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()


def _uuids(ids: Sequence[uuid.UUID | None]) -> str:
    """PostgreSQL's literal of an array."""
    return "{" + ",".join(["NULL" if id is None else f"{id.int:032x}" for id in ids]) + "}"


def _numbers(numbers: Sequence[int | None]) -> str:
    """PostgreSQL's literal of an array."""
    return "{" + str(numbers)[1:-1].replace("None", "NULL") + "}"


def _linked(
    requests: Sequence[HoldRequest],
) -> tuple[list[uuid.UUID], list[int | None], list[int], list[int]]:
    """Accounts once each with their limits, and for each request where its places end."""
    places: dict[uuid.UUID, int] = {}
    limits: list[int | None] = []
    links: list[int] = []
    ends: list[int] = []
    for each in requests:
        wallet = () if each.wallet_id is None else ((each.wallet_id, None),)
        for id, limit in (*wallet, *each.budgets):
            place = places.setdefault(id, len(places) + 1)
            if place > len(limits):
                limits.append(limit)
            elif limit is not None:
                limits[place - 1] = limit
            links.append(place)
        ends.append(len(links))
    return list(places), limits, links, ends


async def open_budget(
    session: AsyncSession,
    id: uuid.UUID,
    kind: str,
    subject_id: uuid.UUID,
    period: str,
    starts_on: date,
) -> None:
    """Make it, if there is none, with what was spent in the period before there was a limit."""
    await session.execute(_PATIENCE)
    spent = select(func.coalesce(func.sum(func.greatest(USAGE.c.credits_charged, USAGE.c.cost)), 0))
    subject = _SUBJECTS.get(kind)
    before = 0
    if subject is not None:
        start = datetime.fromisoformat(f"{starts_on}T00:00:00+00:00")
        earlier = spent.where(
            subject == subject_id,
            USAGE.c.id >= first_id(start),
            func.coalesce(USAGE.c.key_owner, "SYSTEM") == "SYSTEM",
        )
        before = int(await session.scalar(earlier) or 0)
    values = {
        "id": id,
        "kind": kind,
        "subject_id": subject_id,
        "period": period,
        "starts_on": starts_on,
        "spent": before,
    }
    await session.execute(postgresql.insert(_BUDGETS).values(**values).on_conflict_do_nothing())


async def orphans(session: AsyncSession) -> Sequence[uuid.UUID]:
    """Holds of processes that are gone, and whose spool nobody has found in all that time."""
    long_ago = func.now() - ORPHANED
    alive = select(_PROCESSES.c.id).where(
        _PROCESSES.c.id == _HOLDS.c.process_id, _PROCESSES.c.beat_at > long_ago
    )
    found = await session.scalars(
        select(_HOLDS.c.request_id)
        .where(_HOLDS.c.created_at < long_ago, ~alive.exists())
        .order_by(_HOLDS.c.created_at)
        .limit(_MOST_ORPHANS)
    )
    return found.all()


_LOCK_WALLETS = text(
    "SELECT id FROM wallets WHERE id IN"
    " (SELECT wallet_id FROM holds WHERE request_id = ANY (:ids)) ORDER BY id FOR UPDATE"
).bindparams(bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID)))
_LOCK_BUDGETS = text(
    "SELECT id FROM budgets WHERE id IN"
    " (SELECT unnest(budget_ids) FROM holds WHERE request_id = ANY (:ids)) ORDER BY id FOR UPDATE"
).bindparams(bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID)))
_RELEASE = text(
    """
    WITH gone AS (
        DELETE FROM holds WHERE request_id = ANY (:ids) RETURNING wallet_id, amount, budget_ids
    ), of_wallets AS (
        UPDATE wallets w SET held = w.held - g.amount
        FROM (SELECT wallet_id, sum(amount) AS amount FROM gone GROUP BY wallet_id) g
        WHERE w.id = g.wallet_id
    ), of_budgets AS (
        UPDATE budgets b SET held = b.held - g.amount
        FROM (
            SELECT u.id, sum(amount) AS amount FROM gone, unnest(budget_ids) AS u (id) GROUP BY u.id
        ) g WHERE b.id = g.id
    )
    SELECT count(*) FROM gone
    """
).bindparams(bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID)))


async def release(session: AsyncSession, request_ids: Iterable[uuid.UUID]) -> int:
    """Give holds back; how many there were. Accounts are locked in order before anything moves."""
    ids = {"ids": list(request_ids)}
    await session.execute(_LOCK_WALLETS, ids)
    await session.execute(_LOCK_BUDGETS, ids)
    return await session.scalar(_RELEASE, ids) or 0
