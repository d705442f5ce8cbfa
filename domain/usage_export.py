"""Requests as a file: what a link to them says, and its lines, a page at a time."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
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
    if format is ExportFormat.CSV:
        yield csv_lines([COLUMNS])
    after: uuid.UUID | None = None
    while True:
        async with database.read(None) as session:
            rows = await usage_after(session, query, after, PAGE_ROWS)
        if rows:
            shown = [_plain(row) for row in rows]
            yield _table(shown) if format is ExportFormat.CSV else _json_lines(shown)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id


def _plain(row: Row) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in COLUMNS}
    shown["started_at"] = row.started_at.astimezone(UTC)
    shown["cost"] = None if row.cost is None else usd_text(row.cost)
    return shown


def _json_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _table(rows: list[dict[str, Any]]) -> bytes:
    return csv_lines(
        [{**row, "started_at": row["started_at"].isoformat()}[name] for name in COLUMNS]
        for row in rows
    )
