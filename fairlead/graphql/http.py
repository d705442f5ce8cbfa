"""GraphQL over HTTP: POST, one operation, JSON in; JSON or an event stream out."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.identity import Authenticator
from auth.origin import Origins
from domain.errors import FairleadError, MalformedRequest, RequestTooLarge
from domain.principal import Scope as Right
from fairlead.graphql.encode import Response, encode
from fairlead.graphql.engine import Engine
from fairlead.graphql.errors import Refused, internal, refused
from fairlead.graphql.request import MAX_BODY, MAX_PROMPTS, decode_request
from fairlead.graphql.rights import Caller
from fairlead.graphql.sse import EVENT_STREAM, refuse, stream
from fairlead.headers import client_of, headers_of

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

_BODY_DEADLINE = 10.0
_PROMPTS_DEADLINE = 30.0


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
        most, within = await self._allowance(headers)
        request = decode_request(await _read(headers, receive, most, within))
        principal = await self._authenticator.principal(headers)
        wants_events = EVENT_STREAM in headers.get("accept", "")
        try:
            operation = self._engine.prepare(request, principal, client_of(scope))
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

    async def _allowance(self, headers: Mapping[str, str]) -> tuple[int, float]:
        """Bytes and seconds of a body: those of `/v1` for who may send prompts and says so."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            principal = await self._authenticator.principal(headers)
            if principal is not None and Right.INFERENCE in principal.scopes:
                return MAX_PROMPTS, _PROMPTS_DEADLINE
        return MAX_BODY, _BODY_DEADLINE


def _is_json(content_type: str) -> bool:
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    return kind == JSON and parameters in ([], ["charset=utf-8"], ['charset="utf-8"'])


def _media(accept: str) -> str:
    return GRAPHQL_JSON if GRAPHQL_JSON in accept else JSON


async def _read(headers: Mapping[str, str], receive: Receive, most: int, within: float) -> bytes:
    """The whole body. Raises RequestTooLarge, and MalformedRequest when it does not arrive."""
    too_large = RequestTooLarge(f"The body is larger than {most} bytes.")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(within):
            while True:
                message: Message = await receive()
                if message["type"] != "http.request":
                    raise MalformedRequest("The body was cut off.")
                body += message.get("body", b"")
                if len(body) > most:
                    raise too_large
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError as error:
        raise MalformedRequest("The body took too long to arrive.") from error


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
    if status == 405:
        headers.append((b"allow", b"POST"))
    if refusal is not None and refusal.retry_after is not None:
        headers.append((b"retry-after", str(int(refusal.retry_after) + 1).encode()))
    body = encode(response)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
