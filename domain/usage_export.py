"""Requests as a file: a link that expires, and the lines behind it, a page at a time."""

import csv
import io
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from db.keyset import Row
from db.queries.usage import Reach, UsageQuery, usage_after
from db.session import Database
from domain.ports import Cipher, Place, Sealed
from domain.pricing import usd_text
from domain.secret import Secret

PATH = "/exports/usage"
LIFE = timedelta(minutes=5)
"""In which the download must begin."""
PAGE_ROWS = 1_000

_PLACE = Place("usage_exports", "link", uuid.UUID(int=0), 1, PATH)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would carry out."""


class ExportFormat(StrEnum):
    """A table with a first line of names, or one JSON object a line."""

    CSV = "CSV"
    JSON_LINES = "JSON_LINES"


class BadLink(Exception):
    """The link is none of ours, or too old."""


class _Link(msgspec.Struct):
    expires: datetime
    format: ExportFormat
    everybody: bool
    caller: uuid.UUID
    governed: uuid.UUID | None
    asked: dict[str, Any]


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


def link_to(cipher: Cipher, query: UsageQuery, format: ExportFormat, expires: datetime) -> str:
    """The path of a download that whoever has it may begin until it expires."""
    reach, names = query.reach, _Asked.__struct_fields__
    link = _Link(
        expires,
        format,
        reach.everybody,
        reach.user,
        reach.organization,
        {name: getattr(query, name) for name in names},
    )
    sealed = cipher.seal(Secret(msgspec.json.encode(link).decode()), _PLACE)
    return f"{PATH}?link={sealed.master_key_id}.{sealed.ciphertext.decode()}"


def opened(cipher: Cipher, link: str) -> tuple[UsageQuery, ExportFormat]:
    """What a link is for. Raises BadLink."""
    key_id, _, token = link.partition(".")
    try:
        plain = cipher.open(Sealed(token.encode(), key_id), _PLACE)
        found = msgspec.json.decode(plain.reveal(), type=_Link)
        asked = msgspec.convert(found.asked, _Asked)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadLink from error
    if found.expires <= datetime.now(UTC):
        raise BadLink
    reach = Reach(found.everybody, found.caller, found.governed)
    return UsageQuery(reach, **msgspec.structs.asdict(asked)), found.format


async def lines(
    database: Database, query: UsageQuery, format: ExportFormat
) -> AsyncIterator[bytes]:
    """The requests, oldest first, some lines at a time; no session is held between them."""
    if format is ExportFormat.CSV:
        yield (",".join(COLUMNS) + "\n").encode()
    after: uuid.UUID | None = None
    while True:
        async with database.read(None) as session:
            rows = await usage_after(session, query, after, PAGE_ROWS)
        if rows:
            yield _csv(rows) if format is ExportFormat.CSV else _json_lines(rows)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].id


def _plain(row: Row) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in COLUMNS}
    shown["started_at"] = row.started_at.astimezone(UTC)
    shown["cost"] = None if row.cost is None else usd_text(row.cost)
    return shown


def _json_lines(rows: Sequence[Row]) -> bytes:
    return b"".join(msgspec.json.encode(_plain(row)) + b"\n" for row in rows)


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        shown = _plain(row)
        shown["started_at"] = shown["started_at"].isoformat()
        writer.writerow([_cell(shown[name]) for name in COLUMNS])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is led by an apostrophe."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
