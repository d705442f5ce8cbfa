"""Serves the built web app: its two pages, its assets, and the headers that keep them ours."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import gateway
from fairlead.headers import headers_of

BUILT = Path(gateway.__file__).parent / "static"

_CHUNK = 16 * 1024
"""Bytes of a file in memory for each client that reads slowly, besides what waits to be sent."""
_GZIP = re.compile(r"\bgzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
_IMMUTABLE = "public, max-age=31536000, immutable"
_NOT_OURS = ("exports", "graphql", "v1", "session", "livez", "readyz", "metrics", "assets")
"""First path segments under which an unknown address is an error and never a page of the app."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fairlead</title></head>
<body style="font-family: system-ui, sans-serif; max-width: 40rem; margin: 4rem auto">
<h1>Fairlead is running; its web pages are not built</h1>
<p>In a checkout, <code>make run</code> builds them. By hand:</p>
<pre>cd frontend &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>The GraphQL endpoint is <code>/graphql</code>, the OpenAI-compatible one <code>/v1</code>.</p>
</body></html>
"""


class Pages:
    """Static files below `folder`; addresses that are no file belong to the app's own router."""

    def __init__(self, folder: Path = BUILT, issuer: str | None = None) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)
        self._headers = _security_headers(issuer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        response = await self._find(scope)
        response.headers.update(self._headers)
        await response(scope, receive, send)

    async def graphiql(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The GraphiQL page, whatever the path."""
        response = await self._file("graphiql.html", scope)
        response.headers.update(self._headers)
        await response(scope, receive, send)

    async def _find(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response("Method not allowed\n", 405, {"allow": "GET, HEAD"}, "text/plain")
        if scope["path"].startswith("//"):
            # A page that went on from there would leave for another host.
            return Response("Not found\n", 404, media_type="text/plain")
        path = scope["path"].strip("/")
        first, name = path.partition("/")[0], path.rpartition("/")[2]
        if path in ("", "index.html"):
            return await self._file("index.html", scope)
        try:
            response = await self._files.get_response(path, scope)
        except HTTPException:
            if first in _NOT_OURS or "." in name:
                return Response("Not found\n", 404, media_type="text/plain")
            return await self._file("index.html", scope)
        if first != "assets":
            response.headers["cache-control"] = "no-cache"
        else:
            response = await self._compressed(path, scope) or response
            response.headers["cache-control"] = _IMMUTABLE
            response.headers["vary"] = "accept-encoding"
        if isinstance(response, FileResponse):
            response.chunk_size = _CHUNK
        return response

    async def _compressed(self, path: str, scope: Scope) -> Response | None:
        """What the build wrote beside a file, for whoever takes it."""
        if not _GZIP.search(headers_of(scope).get("accept-encoding", "")):
            return None
        try:
            response = await self._files.get_response(f"{path}.gz", scope)
        except HTTPException:
            return None
        response.headers["content-encoding"] = "gzip"
        return response

    async def _file(self, name: str, scope: Scope) -> Response:
        try:
            response = await self._files.get_response(name, scope)
        except HTTPException:
            response = HTMLResponse(_NOT_BUILT)
        response.headers["cache-control"] = "no-cache"
        return response


def mount_pages(app: Starlette, pages: Pages | None = None) -> None:
    """Serve everything no other route takes: mount it last."""
    app.mount("/", pages or Pages())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _security_headers(issuer: str | None) -> dict[str, str]:
    policy = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": f"'self' {_origin(issuer)}" if issuer else "'self'",
        "worker-src": "'self' blob:",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
