"""Downloads of usage: what a link of `usageExport` leads to."""

from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from db.session import Database
from domain.ports import Cipher
from domain.usage_export import PATH, BadLink, ExportFormat, lines, opened

_NAMES = {ExportFormat.CSV: "usage.csv", ExportFormat.JSON_LINES: "usage.jsonl"}
_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSON_LINES: "application/jsonl"}


def mount_export(app: FastAPI, database: Database, cipher: Cipher) -> None:
    """Serve downloads. One that breaks off ends without HTTP's last chunk, so clients notice."""

    @app.get(PATH)
    async def export(request: Request) -> Response:
        try:
            query, format = opened(cipher, request.query_params.get("link", ""))
        except BadLink:
            text = "This link is wrong or has expired: ask `usageExport` for another.\n"
            return Response(text, 403, media_type="text/plain")
        found: AsyncIterator[bytes] = lines(database, query, format)
        headers = {
            "content-disposition": f'attachment; filename="{_NAMES[format]}"',
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(found, headers=headers, media_type=_TYPES[format])
