"""The ASGI app: the data plane on `/v1`, raw; FastAPI for everything else."""

from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.export import mount_export
from fairlead.graphql import mount_graphql
from fairlead.pages import Pages, mount_pages
from fairlead.runtime import Runtime
from fairlead.session import mount_session
from resolvers.root import build_schema


def create_app(runtime: Runtime) -> ASGIApp:
    """One door: requests for `/v1` never pass through the web framework."""
    control_plane = create_control_plane(runtime)

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if scope["type"] == "http" and (path.startswith("/v1/") or path == "/v1"):
            await runtime.data_plane(scope, receive, send)
        else:
            await control_plane(scope, receive, send)

    return door


def create_control_plane(runtime: Runtime) -> FastAPI:
    """GraphQL, sessions, health and pages."""
    app = FastAPI(title="Fairlead", docs_url=None, redoc_url=None, openapi_url=None)
    origins = runtime.foundation.settings.allowed_origins

    @app.get("/livez")
    async def livez() -> Response:
        """The process runs."""
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        """Requests can be routed and recorded; without the database too, for who is known."""
        missing = [] if runtime.configuration.ready else ["no configuration"]
        missing += ["stopping"] if runtime.drain.begun else []
        missing += [] if runtime.spool.healthy else ["usage cannot be written to disk"]
        reached = runtime.configuration.reached
        fine = "ok" if reached else "ok for callers seen lately: the database is away"
        text = ", ".join(missing) or fine
        return Response(f"{text}\n", 503 if missing else 200, media_type="text/plain")

    settings = runtime.foundation.settings
    mount_session(app, runtime.authenticator, runtime.foundation.database, origins, settings)
    mount_graphql(app, build_schema(), runtime.context_for, runtime.authenticator, origins)
    mount_export(app, runtime.foundation.database, runtime.foundation.cipher)
    mount_pages(app, Pages(issuer=settings.openid_issuer))
    return app
