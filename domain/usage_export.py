"""Requests as a file: what a link to them says, and its lines, a page at a time."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import msgspec

from db.keyset import Row
from db.queries.usage import UsageQuery, usage_after
from db.session import Database
from domain.download import PAGE_ROWS, BadLink, Download, ExportFormat, csv_lines
from domain.pricing import usd_text

PATH = "/exports/usage"


class _Asked(msgspec.Struct):
    since: datetime
    until: datetime
    user: uuid.UUID | None = None
    organization: uuid.UUID | None = None
    api_key: uuid.UUID | None = None
    provider: uuid.UUID | None = None
    model: uuid.UUID | None = None
    statuses: tuple[str, ...] | None = None
    byok: bool | None = None


COLUMNS = (
    "id",
    "started_at",
    "status",
    "error_class",
    "user_id",
    "organization_id",
    "api_key_id",
    "requested_model",
    "provider_slug",
    "model_name",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "usage_source",
    "cost",
    "key_owner",
    "latency_ms",
    "first_token_ms",
    "attempts",
    "streamed",
)
"""`cost` in dollars, empty or null where the price was unknown; times in UTC."""
_READ = attrgetter(*COLUMNS)
_STARTED, _COST = COLUMNS.index("started_at"), COLUMNS.index("cost")
_SLICE = 100
"""Rows that are written without letting requests go on: some two milliseconds."""


def asked_of(query: UsageQuery) -> dict[str, Any]:
    """The query as a link carries it, without the caller's reach."""
    return {name: getattr(query, name) for name in _Asked.__struct_fields__}


def query_of(download: Download) -> UsageQuery:
    """Raises BadLink."""
    try:
        asked = msgspec.convert(download.asked, _Asked)
    except msgspec.ValidationError as error:
        raise BadLink from error
    return UsageQuery(download.reach, **msgspec.structs.asdict(asked))


async def lines(
    database: Database, query: UsageQuery, format: ExportFormat
) -> AsyncIterator[bytes]:
    """The requests, oldest first, some lines at a time; no session is held between them."""
    write = _table if format is ExportFormat.CSV else _json_lines
    if format is ExportFormat.CSV:
        yield csv_lines([COLUMNS])
    after: uuid.UUID | None = None
    while True:
        async with database.read(None) as session:
            rows = await usage_after(session, query, after, PAGE_ROWS)
        for start in range(0, len(rows), _SLICE):
            yield write([_values(row) for row in rows[start : start + _SLICE]])
            await asyncio.sleep(0)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id


def _values(row: Row) -> list[Any]:
    """In the order of COLUMNS."""
    values = list(_READ(row))
    values[_STARTED] = row.started_at.astimezone(UTC)
    if row.cost is not None:
        values[_COST] = usd_text(row.cost)
    return values


def _json_lines(rows: list[list[Any]]) -> bytes:
    objects = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    return b"".join(msgspec.json.encode(each) + b"\n" for each in objects)


def _table(rows: list[list[Any]]) -> bytes:
    for row in rows:
        row[_STARTED] = row[_STARTED].isoformat()
    return csv_lines(rows)
