"""Recomputes a day's cells from its raw rows, and says where the stored ones differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import text

from db.queries.rollup import LEVELS, Cells, Level
from db.queries.settlement import SETTLING
from db.queries.usage import first_id
from db.queries.usage_facts import gather
from db.session import Database

_PATIENCE = text("SET LOCAL statement_timeout = '10min'")
_SETTLING = text(SETTLING)
"""The lock of settlements: the two sides are of one moment."""
_SHOWN = 5
"""Differences told of each table."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that is not what its rows add up to; None: it is not there."""

    table: str
    stored: dict[str, Any] | None
    computed: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Audited:
    """`rows` of the day, how many `cells` they make, how many differ, and the first of
    those in each table."""

    rows: int
    cells: int
    differing: int
    differences: Sequence[Difference]


async def audit_day(database: Database, day: date, *, mend: bool) -> Audited:
    """Compare a UTC day's cells with its raw rows; `mend` writes what was computed instead."""
    start = datetime.combine(day, time(), UTC)
    first, end = first_id(start), first_id(start + timedelta(days=1))
    async with database.write(None) as session:
        await session.execute(_PATIENCE)
        await session.execute(_SETTLING)
        driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
        within = f"id >= '{first}' AND id < '{end}'"
        await gather(driver, f"(SELECT * FROM llm_usage_logs WHERE {within})")
        rows = await driver.fetchval("SELECT count(*) FROM usage_facts")
        cells, differing, found = 0, 0, []
        for level in LEVELS:
            for each in level.cells:
                computed = level.aggregate(each)
                cells += await driver.fetchval(f"SELECT count(*) FROM ({computed}) computed")
                differing += await driver.fetchval(_count(level, each), *_span(each, day))
                found += [
                    Difference(each.table, _told(each, row, "s"), _told(each, row, "c"))
                    for row in await driver.fetch(_compare(level, each), *_span(each, day))
                ]
                if mend:
                    await driver.execute(
                        f"DELETE FROM {each.table} d WHERE {_day(each)}", *_span(each, day)
                    )
            if mend:
                await driver.execute(level.add)
    return Audited(rows, cells, differing, found)


def _span(cells: Cells, day: date) -> tuple[Any, ...]:
    if "day" in cells.keys:
        return (day,)
    start = datetime.combine(day, time(), UTC)
    return (start, start + timedelta(days=1))


def _day(cells: Cells) -> str:
    return "d.day = $1" if "day" in cells.keys else "d.start >= $1 AND d.start < $2"


def _join(level: Level, cells: Cells) -> str:
    keys = " AND ".join(f"s.{key} = c.{key}" for key in cells.keys)
    same = " AND ".join(f"s.{value} = c.{value}" for value in cells.values)
    return f"""
        (SELECT d.* FROM {cells.table} d WHERE {_day(cells)}) s
        FULL JOIN ({level.aggregate(cells)}) c ON {keys} WHERE ({same}) IS NOT TRUE
    """


def _count(level: Level, cells: Cells) -> str:
    return f"SELECT count(*) FROM {_join(level, cells)}"


def _compare(level: Level, cells: Cells) -> str:
    columns = (*cells.keys, *cells.values)
    shown = ", ".join(f"{side}.{name}::text AS {side}_{name}" for side in "sc" for name in columns)
    return f"SELECT {shown} FROM {_join(level, cells)} LIMIT {_SHOWN}"


def _told(cells: Cells, row: Any, side: str) -> dict[str, Any] | None:
    if row[f"{side}_{cells.keys[0]}"] is None:
        return None
    return {name: row[f"{side}_{name}"] for name in (*cells.keys, *cells.values)}
