"""Joins the schema with the web framework, and nothing else does: HTTP, SSE and WebSocket."""

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from auth.identity import Authenticator
from auth.origin import Origins
from domain.bucket import Rate
from fairlead.graphql.engine import DEADLINE, ContextFor, Engine
from fairlead.graphql.http import HttpEndpoint
from fairlead.graphql.ws import WebSocketEndpoint
from fairlead.pages import Pages

__all__ = ["mount_graphql"]

PATH = "/graphql"
RATE = Rate(capacity=60_000, per_second=4_000)
"""Cost units for each principal: thirty of the largest operations at once, two a second for ever.

A page of the web app costs up to 1,900, and who clicks through it opens a page a second.
"""


def mount_graphql(
    app: Starlette,
    schema: strawberry.Schema,
    context_for: ContextFor,
    authenticator: Authenticator,
    allowed_origins: frozenset[str],
    *,
    page: ASGIApp | None = None,
    rate: Rate = RATE,
    deadline: float = DEADLINE,
) -> None:
    """Serve `schema` at /graphql. `page` answers a browser that opens the address.

    `allowed_origins` are those of web pages besides our own address; `deadline` in seconds.
    """
    origins = Origins(allowed_origins)
    engine = Engine(schema, context_for, rate=rate, deadline=deadline)
    http = HttpEndpoint(engine, authenticator, origins, page or Pages().graphiql)
    sockets = WebSocketEndpoint(engine, authenticator, origins)
    app.router.routes.append(Route(PATH, http))
    app.router.routes.append(WebSocketRoute(PATH, sockets))
