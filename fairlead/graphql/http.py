"""GraphQL over HTTP: POST, one operation, JSON in; JSON or an event stream out."""

import gc
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from auth.identity import Authenticator
from auth.origin import Origins
from domain.errors import FairleadError, MalformedRequest
from domain.principal import Scope as Right
from fairlead.graphql.encode import Response, encode
from fairlead.graphql.engine import Engine
from fairlead.graphql.errors import Refused, internal, refused
from fairlead.graphql.request import MAX_BODY, MAX_PROMPTS, decode_request
from fairlead.graphql.rights import Caller
from fairlead.graphql.sse import EVENT_STREAM, refuse, stream
from fairlead.headers import headers_of
from gateway.asgi import ClientLeft, client_of, read_body
from gateway.deadline import Deadlines

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

_BODY_DEADLINE = 10.0


class HttpEndpoint:
    """An ASGI app for one path. `page` answers a browser that opens it."""

    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator,
        origins: Origins,
        page: ASGIApp,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._origins = origins
        self._page = page
        self._deadlines = Deadlines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        media = JSON
        try:
            headers = headers_of(scope)
            accept = headers.get("accept", "")
            if scope["method"] in ("GET", "HEAD") and "text/html" in accept:
                await self._page(scope, receive, send)
                return
            media = _media(accept)
            await self._post(scope, receive, send, headers, media)
        except ClientLeft:
            return
        except Refused as error:
            await _answer(send, media, {"errors": error.errors}, error)
        except FairleadError as error:
            refusal = refused(error)
            # What never became a GraphQL request has its own status, whatever media it wants.
            await _answer(send, media, {"errors": refusal.errors}, refusal, is_graphql=False)
        except Exception as error:
            failure = Refused([internal(error)], 500)
            await _answer(send, media, {"errors": failure.errors}, failure)

    async def _post(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str], media: str
    ) -> None:
        if scope["method"] != "POST":
            await _method_not_allowed(send, media)
            return
        if not _is_json(headers.get("content-type", "")):
            refusal = refused(MalformedRequest("Send `content-type: application/json`."))
            refusal.status = 415
            await _answer(send, media, {"errors": refusal.errors}, refusal, is_graphql=False)
            return
        self._origins.check(headers)
        address = client_of(scope)
        most = await self._allowance(headers, address)
        body = await read_body(receive, headers, most, self._deadlines.within(_BODY_DEADLINE))
        try:
            await self._operate(body, address, headers, receive, send)
        finally:
            if len(body) > MAX_BODY:
                # Errors hold where they were raised, and so this body: nobody looks for that soon.
                gc.collect(1)

    async def _operate(
        self, body: bytes, address: str, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        """The request in `body`, answered as its caller wants it."""
        request, media = decode_request(body), _media(headers.get("accept", ""))
        principal = await self._authenticator.principal(headers, address)
        wants_events = EVENT_STREAM in headers.get("accept", "")
        try:
            operation = self._engine.prepare(request, principal, address)
        except Refused as error:
            if not wants_events or error.status != 400:
                raise
            await refuse(send, error)
            return
        if wants_events:
            caller = Caller(self._authenticator, headers, principal)
            await stream(self._engine, operation, caller, receive, send)
        elif operation.is_subscription:
            raise Refused([{"message": f"A subscription needs `accept: {EVENT_STREAM}`."}])
        else:
            await _answer(send, media, await self._engine.execute(operation, principal))

    async def _allowance(self, headers: Mapping[str, str], address: str) -> int:
        """Bytes of a body: those of `/v1` for who may send prompts and says so."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            principal = await self._authenticator.principal(headers, address)
            if principal is not None and Right.INFERENCE in principal.scopes:
                return MAX_PROMPTS
        return MAX_BODY


def _is_json(content_type: str) -> bool:
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    return kind == JSON and parameters in ([], ["charset=utf-8"], ['charset="utf-8"'])


def _media(accept: str) -> str:
    return GRAPHQL_JSON if GRAPHQL_JSON in accept else JSON


async def _method_not_allowed(send: Send, media: str) -> None:
    refusal = refused(MalformedRequest("Send operations by POST."))
    refusal.status = 405
    await _answer(send, media, {"errors": refusal.errors}, refusal, is_graphql=False)


async def _answer(
    send: Send,
    media: str,
    response: Response,
    refusal: Refused | None = None,
    *,
    is_graphql: bool = True,
) -> None:
    # The older media type says 200 for every well-formed GraphQL request (GraphQL over HTTP, 6.4).
    status = 200 if refusal is None else refusal.status
    if is_graphql and media == JSON and status == 400:
        status = 200
    headers = [
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
    ]
    headers.append((b"x-content-type-options", b"nosniff"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status in (408, 413):
        # What was not read must not be waited for.
        headers.append((b"connection", b"close"))
    if status == 405:
        headers.append((b"allow", b"POST"))
    if refusal is not None and refusal.retry_after is not None:
        headers.append((b"retry-after", str(int(refusal.retry_after) + 1).encode()))
    body = encode(response)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
