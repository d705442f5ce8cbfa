"""Usage rows in numbered, commit-ordered batches: how they get in (feed.py tails them)."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from db.queries.charge import Crossing, settle_money
from db.queries.rollup import roll_up
from db.queries.usage_row import (
    COPY_COLUMNS,
    COPY_END,
    COPY_HEADER,
    FAULTS,
    LOG_COLUMNS,
    UsageRow,
    copy_record,
)
from db.session import AsyncSession, Database, sqlstate

_PARTITION_LOCK = text("SELECT pg_advisory_xact_lock(5023170004)")
_PARTITIONED = ("llm_usage_logs", "llm_decisions")
_AHEAD_DAYS = 3
_OLDEST_DAYS = 400

_ROW_STATES = ("22", "23")
"""SQLSTATE classes that blame the data."""


class RowRefused(Exception):
    """The database finds fault with a row of the batch, not with the batch's moment."""


class _NoPartition(Exception):
    """Rows are of `days` that no partition is known for."""

    def __init__(self, days: set[date]) -> None:
        super().__init__()
        self.days = days


_SLICE = 16
"""Rows that are made and encoded for the database without letting requests go on."""
_PIECE_BYTES = 64 * 1024
"""What is sent at once."""
_DAY_MS = 86_400_000
_FIRST_DAY = date(1970, 1, 1)
_UUID_VERSION = 7

_PATIENCE = text("SET LOCAL statement_timeout = '30s'")

_STAGE = """
    CREATE TEMP TABLE IF NOT EXISTS usage_staging ON COMMIT DELETE ROWS AS
        SELECT u.*, d.decision, d.attempts AS attempt_log,
            0::bigint AS spend, u.id AS wallet_id, '{}'::uuid[] AS budget_ids,
            u.id AS lease_id, 0::bigint AS leased
        FROM llm_usage_logs u, llm_decisions d WITH NO DATA
"""

SETTLING = "SELECT pg_advisory_xact_lock(5023170003)"
"""Held to commit; the next statement then sees the newest number."""

_LAST = "CASE status WHEN 'UNKNOWN' THEN 2 WHEN 'RECOVERED' THEN 1 ELSE 0 END"
"""Of several rows of one request, the one that knows most is the one that stays."""

_USAGE = ", ".join(LOG_COLUMNS)
_INSERT = f"""
    WITH next AS (
        SELECT coalesce(max(number), 0) + 1 AS number FROM settlement_batches
    ), usage AS (
        INSERT INTO llm_usage_logs (batch, {_USAGE})
        SELECT next.number, {_USAGE} FROM next, usage_staging {{usage}}
    ), decisions AS (
        INSERT INTO llm_decisions (id, decision, attempts)
        SELECT id, decision, attempt_log FROM usage_staging {{decisions}}
    )
    INSERT INTO settlement_batches (number, at, rows, cost)
    SELECT next.number, clock_timestamp(), inserted.rows, inserted.cost
    FROM next, (SELECT count(*) AS rows, coalesce(sum(cost), 0) AS cost FROM {{inserted}}) inserted
    WHERE inserted.rows > 0
    RETURNING number, rows
"""
_NEW = {"usage": "", "decisions": "", "inserted": "usage_staging"}
_KNOWN = f"ORDER BY id, {_LAST} ON CONFLICT (id) DO NOTHING"
_SKIP = {"usage": f"{_KNOWN} RETURNING cost", "decisions": _KNOWN, "inserted": "usage"}
"""What to do with rows that are there already: a unique violation, which costs a fifth less where
there are none, or nothing."""

_KEEP_THE_NEW = f"""
    DELETE FROM usage_staging WHERE ctid NOT IN (
        SELECT DISTINCT ON (s.id) s.ctid FROM usage_staging s
        JOIN llm_usage_logs u ON u.id = s.id AND u.batch = $1
        ORDER BY s.id, {_LAST.replace("status", "s.status", 1)}
    )
"""
"""Leaves in the staging table what this batch inserted."""


Crossed = Callable[[AsyncSession, Sequence[Crossing]], Awaitable[None]]
"""Tells of wallets that are low, in the transaction that makes them so."""


class Settlements:
    """Inserts batches. Rows already there stay as they are, so that replays change nothing."""

    def __init__(self, database: Database, crossed: Crossed | None = None) -> None:
        self.database = database
        self._crossed = crossed
        self._days: set[date] = set()

    async def prepare(self) -> None:
        """Make the partitions of today and the next days ahead of their first row."""
        await self.make_partitions(set())

    async def settle(self, rows: Iterable[UsageRow]) -> int | None:
        """Insert `rows` in one transaction; returns the batch's number, None if all were there.

        They are read one by one as they are sent, and again if some turn out to be there: none is
        held. Raises `RowRefused` when a row is at fault; nothing is inserted then.
        """
        try:
            with suppress(asyncpg.UniqueViolationError):
                return await self._settle(rows, known=_NEW)
            return await self._settle(rows, known=_SKIP)
        except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not _blames_data(error):
                raise
            self._days.clear()
            raise RowRefused(type(getattr(error, "orig", error)).__name__) from error

    async def _settle(self, rows: Iterable[UsageRow], *, known: Mapping[str, str]) -> int | None:
        """Once more where a day had no partition: it is made in between, as who holds a connection
        must not wait for another one."""
        try:
            async with self.database.write(None) as session:
                return await self._insert(session, rows, known=known)
        except _NoPartition as found:
            await self.make_partitions(found.days)
        async with self.database.write(None) as session:
            return await self._insert(session, rows, known=known)

    async def _insert(
        self, session: AsyncSession, rows: Iterable[UsageRow], *, known: Mapping[str, str]
    ) -> int | None:
        """Begins the transaction, then speaks to the driver: COPY needs it, and it costs less."""
        await session.execute(_PATIENCE)
        driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        staged = await _stage(driver, rows)
        if not staged.rows:
            return None
        missing = {_day(number) for number in staged.days} - self._days
        if missing:
            raise _NoPartition(missing)
        await driver.execute(SETTLING)
        inserted = await driver.fetchrow(_INSERT.format(**known))
        number, new = (None, 0) if inserted is None else inserted
        # Wallets are locked to the commit, and whoever holds credits waits: last, where it can be.
        if new == staged.rows:
            await roll_up(driver, "usage_staging", new)
        if staged.has_money:
            await self._settle_money(session, driver)
        if 0 < new < staged.rows:
            await driver.execute(_KEEP_THE_NEW, number)
            await roll_up(driver, "usage_staging", new)
        return number

    async def _settle_money(self, session: AsyncSession, driver: Any) -> None:
        """Of all that is staged: what is there already may hold credits still."""
        crossings = await settle_money(driver)
        if crossings and self._crossed is not None:
            await self._crossed(session, crossings)

    async def make_partitions(self, days: set[date]) -> None:
        """Daily partitions for `days` and for the days to come."""
        today = datetime.now(UTC).date()
        ahead = {today + timedelta(days=n) for n in range(_AHEAD_DAYS)}
        if any(not today - timedelta(_OLDEST_DAYS) <= day <= max(ahead) for day in days):
            raise RowRefused("no partition for that day")
        missing = (days | ahead) - self._days
        if missing:
            async with self.database.write(None) as session:
                await session.execute(_PARTITION_LOCK)
                for table in _PARTITIONED:
                    for day in sorted(missing):
                        await _make_partition(session, table, day)
            self._days |= missing


async def _make_partition(session: AsyncSession, table: str, day: date) -> None:
    """Made aside and attached, which does not wait for readers as `PARTITION OF` would."""
    name = f"{table}_{day:%Y%m%d}"
    if await session.scalar(select(func.to_regclass(name))) is not None:
        return
    bounds = f"FROM ('{_first_id(day)}') TO ('{_first_id(day + timedelta(days=1))}')"
    await session.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS)"))
    # Whose rows a caller may see is asked of the table alone: by its own name nobody sees any.
    await session.execute(text(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
    await session.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}"))


@dataclass(slots=True)
class _Staged:
    """What the staging table was given: how many rows, of which days since 1970, and whether money
    is to be settled."""

    rows: int = 0
    days: set[int] = field(default_factory=set)
    has_money: bool = False

    async def encoded(self, rows: Iterable[UsageRow]) -> AsyncIterator[bytes]:
        """The rows as COPY takes them; others of the process are let run in between."""
        piece, size = [COPY_HEADER], 0
        for number, row in enumerate(rows):
            if not number % _SLICE:
                await asyncio.sleep(0)
            record = self._record(row)
            piece.append(record)
            size += len(record)
            if size > _PIECE_BYTES:
                yield b"".join(piece)
                piece, size = [], 0
        yield b"".join((*piece, COPY_END))

    def _record(self, row: UsageRow) -> bytes:
        id = row.id.int
        if (id >> 76) & 0xF != _UUID_VERSION:
            raise RowRefused("not a UUIDv7")
        self.days.add((id >> 80) // _DAY_MS)
        if row.spend is not None or row.status == "UNKNOWN":
            self.has_money = True
        self.rows += 1
        try:
            return copy_record(row)
        except FAULTS as error:
            raise RowRefused(type(error).__name__) from error


async def _stage(driver: Any, rows: Iterable[UsageRow]) -> _Staged:
    """Send rows to `usage_staging`, which this transaction empties at its end."""
    await driver.execute(_STAGE)
    staged = _Staged()
    await driver.copy_to_table(
        "usage_staging", source=staged.encoded(rows), columns=COPY_COLUMNS, format="binary"
    )
    return staged


def _blames_data(error: BaseException) -> bool:
    return sqlstate(error).startswith(_ROW_STATES) or isinstance(
        getattr(error, "orig", error), asyncpg.DataError
    )


def _day(number: int) -> date:
    """Raises `RowRefused` for what no calendar has."""
    try:
        return _FIRST_DAY + timedelta(days=number)
    except OverflowError as error:
        raise RowRefused("no such day") from error


def _first_id(day: date) -> uuid.UUID:
    start = datetime.combine(day, time(), UTC)
    return uuid.UUID(int=int(start.timestamp() * 1000) << 80)
