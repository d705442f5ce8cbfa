"""Downloads: what the links of `usageExport` and `auditExport` lead to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from db.session import Database
from domain import audit_export, usage_export
from domain.download import BadLink, Download, ExportFormat, check, opened
from domain.ports import Cipher

_ENDINGS = {ExportFormat.CSV: "csv", ExportFormat.JSON_LINES: "jsonl"}
_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSON_LINES: "application/jsonl"}

Lines = Callable[[Database, Download], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class _File:
    """`asked` is the query that gives a link to it."""

    path: str
    name: str
    asked: str
    lines: Lines


def _usage(database: Database, download: Download) -> AsyncIterator[bytes]:
    return usage_export.lines(database, usage_export.query_of(download), download.format)


def _audit(database: Database, download: Download) -> AsyncIterator[bytes]:
    return audit_export.lines(database, audit_export.query_of(download), download.format)


_FILES = (
    _File(usage_export.PATH, "usage", "usageExport", _usage),
    _File(audit_export.PATH, "audit", "auditExport", _audit),
)


def mount_export(app: FastAPI, database: Database, cipher: Cipher) -> None:
    """Serve downloads. One that breaks off ends without HTTP's last chunk, so clients notice."""
    for file in _FILES:
        app.add_api_route(file.path, _endpoint(file, database, cipher), methods=["GET"])


def _endpoint(
    file: _File, database: Database, cipher: Cipher
) -> Callable[[Request], Awaitable[Response]]:
    async def export(request: Request) -> Response:
        try:
            download = opened(cipher, file.path, request.query_params.get("link", ""))
            async with database.read(None) as session:
                await check(session, download)
            found = file.lines(database, download)
        except BadLink:
            text = f"This link is wrong, has expired or was withdrawn: ask `{file.asked}` anew.\n"
            return Response(text, 403, media_type="text/plain")
        name = f"{file.name}.{_ENDINGS[download.format]}"
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(found, headers=headers, media_type=_TYPES[download.format])

    return export
