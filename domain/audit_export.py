"""The log of changes as a file: what a link to it says, and its lines, a page at a time."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from db.keyset import Row
from db.queries.audit import AuditQuery, entries_after
from db.session import Database
from domain.audit import HASHED
from domain.download import PAGE_ROWS, BadLink, Download, ExportFormat, csv_lines

PATH = "/exports/audit"
COLUMNS = (*HASHED, "previous_hash", "hash")

_BEFORE_ALL = -(2**63)
_EVERY = AuditQuery(descending=False)


class _Asked(msgspec.Struct):
    user: uuid.UUID | None = None
    by_system: bool = False
    actions: tuple[str, ...] | None = None
    object_types: tuple[str, ...] | None = None
    object: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def asked_of(query: AuditQuery) -> dict[str, Any]:
    """The query as a link carries it."""
    return {name: getattr(query, name) for name in _Asked.__struct_fields__}


def query_of(download: Download) -> AuditQuery:
    """Raises BadLink; the log is for those who may see everything."""
    if not download.everybody:
        raise BadLink
    try:
        asked = msgspec.convert(download.asked, _Asked)
    except msgspec.ValidationError as error:
        raise BadLink from error
    return AuditQuery(**msgspec.structs.asdict(asked), descending=False)


async def batches(database: Database, query: AuditQuery = _EVERY) -> AsyncIterator[Sequence[Row]]:
    """The entries that `query` asks for, oldest first; no session is held between batches."""
    number = _BEFORE_ALL
    while True:
        async with database.read(None) as session:
            rows = await entries_after(session, number, PAGE_ROWS, query)
        if not rows:
            return
        yield rows
        number = rows[-1].number


async def lines(
    database: Database, query: AuditQuery, format: ExportFormat
) -> AsyncIterator[bytes]:
    if format is ExportFormat.CSV:
        yield csv_lines([COLUMNS])
    async for rows in batches(database, query):
        shown = [_plain(row) for row in rows]
        yield _table(shown) if format is ExportFormat.CSV else _json_lines(shown)


def _plain(row: Row) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in COLUMNS}
    for name, value in shown.items():
        if isinstance(value, bytes):
            shown[name] = value.hex()
        elif name == "at":
            shown[name] = value.astimezone(UTC).isoformat(timespec="microseconds")
    return shown


def _json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in rows).encode()


def _table(rows: Sequence[dict[str, Any]]) -> bytes:
    states = ({**row, **{name: _text(row[name]) for name in ("before", "after")}} for row in rows)
    return csv_lines([row[name] for name in COLUMNS] for row in states)


def _text(state: dict[str, Any] | None) -> str | None:
    return None if state is None else json.dumps(state, ensure_ascii=False)
