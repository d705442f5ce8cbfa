"""/session: a browser exchanges an API key for a cookie that ends soon, and learns how else."""

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.credential import is_secure
from auth.identity import Authenticator
from auth.origin import Origins
from auth.session import COOKIE, HOST_COOKIE
from db.queries.organization import organizations_by_id
from db.queries.user import users_by_id
from db.session import Database, database_is_away
from domain.errors import (
    FairleadError,
    LimitExceeded,
    MalformedRequest,
    Unauthenticated,
    Unavailable,
)
from domain.principal import Principal
from domain.reach import reach_of
from fairlead.headers import headers_of
from fairlead.openid import OpenIdSettings
from gateway.asgi import ClientLeft, client_of, read_body
from gateway.deadline import Deadlines

_MAX_BODY = 4096
_BODY_DEADLINE = 10.0


class _Sessions:
    def __init__(self, authenticator: Authenticator, database: Database, origins: Origins) -> None:
        self._authenticator = authenticator
        self._database = database
        self._origins = origins
        self._deadlines = Deadlines()

    async def __call__(self, request: Request) -> Response:
        try:
            headers = headers_of(request.scope)
            match request.method:
                case "POST":
                    self._origins.check(headers)
                    return await self._open(request, headers)
                case "DELETE":
                    self._origins.check(headers)
                    return await self._close(headers)
                case _:
                    return await self._who(headers, client_of(request.scope))
        except ClientLeft:
            return Response(status_code=400)
        except FairleadError as error:
            return _failure(error)

    async def _open(self, request: Request, headers: Mapping[str, str]) -> Response:
        body = await read_body(
            request.receive, headers, _MAX_BODY, self._deadlines.within(_BODY_DEADLINE)
        )
        key, address = _key_in(headers, body), client_of(request.scope)
        token, expires_at = await self._authenticator.open_session(key, address)
        principal = await self._authenticator.principal({"authorization": f"Bearer {key}"})
        if principal is None:
            raise Unauthenticated("Sign in with an API key.")
        response = _json(await self._described(principal, expires_at))
        # A proxy may not say that it speaks TLS; the page that asks knows.
        secure = request.url.scheme == "https" or is_secure(headers)
        _set_cookie(response, token, max(0, int(expires_at - time.time())), secure=secure)
        return response

    async def _close(self, headers: Mapping[str, str]) -> Response:
        """Sign out: what this browser sent counts nowhere any more, and its cookies go."""
        try:
            await self._authenticator.sign_out(headers)
            response = Response(status_code=204)
        except FairleadError as error:
            response = _failure(error)
        for secure in (False, True):
            _set_cookie(response, "", 0, secure=secure)
        return response

    async def _who(self, headers: Mapping[str, str], address: str) -> Response:
        principal = await self._authenticator.principal(headers, address)
        if principal is None:
            # Not an error: every page asks this first.
            return _json(None)
        ends = self._authenticator.session_end(headers) or principal.expires_at
        return _json(await self._described(principal, ends))

    async def _described(self, principal: Principal, ends: float | None) -> dict[str, Any]:
        own = [] if principal.organization_id is None else [principal.organization_id]
        try:
            async with self._database.read(principal) as session:
                users = await users_by_id(session, [principal.user_id], reach_of(principal))
                organizations = await organizations_by_id(session, own, principal)
        except Exception as error:
            if not database_is_away(error):
                raise
            raise Unavailable("The database is away: try again soon.") from error
        return {
            "person": str(principal.user_id),
            "name": next((row.name for row in users.values()), ""),
            "role": principal.role,
            "organization": next((row.name for row in organizations.values()), None),
            "expiresAt": None if ends is None else datetime.fromtimestamp(ends, UTC),
        }


def mount_session(
    app: Starlette,
    authenticator: Authenticator,
    database: Database,
    allowed_origins: frozenset[str],
    openid: OpenIdSettings,
) -> None:
    """Serve /session to our own pages and those of `allowed_origins`."""

    async def methods(request: Request) -> Response:
        return _json(_methods(openid))

    app.router.routes.append(Route("/session/methods", methods))
    sessions = _Sessions(authenticator, database, Origins(allowed_origins))
    app.router.routes.append(
        Route("/session", sessions.__call__, methods=["GET", "POST", "DELETE"])
    )


def _methods(openid: OpenIdSettings) -> dict[str, Any]:
    """How people sign in here: what a page must know before anybody has."""
    if openid.openid_issuer is None:
        return {"openid": None}
    return {
        "openid": {
            "issuer": openid.openid_issuer,
            "clientId": openid.openid_client_id,
            "scope": openid.openid_scopes,
        }
    }


def _key_in(headers: Mapping[str, str], body: bytes) -> str:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        value = orjson.loads(body) if kind == "application/json" else None
    except orjson.JSONDecodeError:
        value = None
    key = value.get("key") if isinstance(value, dict) else None
    if not isinstance(key, str):
        raise MalformedRequest('Send {"key": "fl_…"} as application/json.')
    return key


def _set_cookie(response: Response, value: str, max_age: int, *, secure: bool) -> None:
    response.set_cookie(
        HOST_COOKIE if secure else COOKIE,
        value,
        max_age=max_age,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _json(value: object, status: int = 200) -> Response:
    body = orjson.dumps(value)
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(body, status, headers, "application/json")


def _failure(error: FairleadError) -> Response:
    found = {"error": {"code": error.code, "message": error.message}}
    response = _json(found, error.status)
    if error.status in (408, 413):
        # What was not read must not be waited for.
        response.headers["connection"] = "close"
    if isinstance(error, LimitExceeded) and error.retry_after is not None:
        response.headers["retry-after"] = str(math.ceil(error.retry_after))
    return response
