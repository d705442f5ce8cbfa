"""GraphQL over WebSocket: the graphql-transport-ws protocol, and nothing else."""

import asyncio
import math
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from auth.identity import Authenticator
from auth.origin import Origins
from auth.people import ORGANIZATION_HEADER
from domain.errors import FairleadError, LimitExceeded, Unavailable
from fairlead.frames import EXTENSION, text_frame
from fairlead.graphql.encode import Response, encode
from fairlead.graphql.engine import Engine
from fairlead.graphql.errors import Refused, internal
from fairlead.graphql.request import GraphQLRequest, decode_json, request_of
from fairlead.graphql.rights import Caller, RightsEnded
from fairlead.headers import headers_of
from gateway.asgi import client_of

PROTOCOL = "graphql-transport-ws"

_INIT_WITHIN = 5.0
_MAX_FRAME = 64 * 1024
_MAX_OPERATIONS = 20


class _Close(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Gone(Exception):
    """The client has left."""


class WebSocketEndpoint:
    """An ASGI app for one path's WebSockets."""

    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator,
        origins: Origins,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            headers = headers_of(scope)
            self._origins.check(headers)
        except FairleadError:
            # Closed before it is accepted: the handshake is answered 403.
            await send({"type": "websocket.close", "code": 4403})
            return
        if PROTOCOL not in scope.get("subprotocols", ()):
            await send({"type": "websocket.accept"})
            await _close(send, 4406, "Subprotocol not acceptable")
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        framed = EXTENSION in scope.get("extensions", {})
        socket = _Socket(self._engine, self._authenticator, headers, client_of(scope), send, framed)
        await socket.run(receive)


class _Socket:
    """One accepted connection."""

    def __init__(
        self,
        engine: Engine,
        authenticator: Authenticator,
        headers: Mapping[str, str],
        address: str,
        send: Send,
        framed: bool,
    ) -> None:
        self._engine = engine
        self._authenticator = authenticator
        self._headers = headers
        self._address = address
        self._send = send
        self._framed = framed
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def run(self, receive: Receive) -> None:
        """Serve until either side ends it; every way out but the client's own has a close code."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._serve(group, receive))
        except* _Gone:
            pass
        except* (_Close, RightsEnded) as ended:
            first = ended.exceptions[0]
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            await _close(self._send, first.code, first.reason)
        except* Exception as error:
            internal(error)
            await _close(self._send, 4500, "Internal server error")

    async def _serve(self, group: asyncio.TaskGroup, receive: Receive) -> None:
        try:
            async with asyncio.timeout(_INIT_WITHIN):
                caller = await self._initialise(receive)
        except TimeoutError as error:
            raise _Close(4408, "Connection initialisation timeout") from error
        await self._say("connection_ack")
        group.create_task(caller.watch())
        while True:
            message = await self._receive(receive)
            match message["type"]:
                case "subscribe":
                    id, request = _subscription(message)
                    await self._subscribe(group, caller, id, request)
                case "complete":
                    running = self._operations.pop(_id(message), None)
                    if running is not None:
                        running.cancel()
                case "connection_init":
                    raise _Close(4429, "Too many initialisation requests")

    async def _initialise(self, receive: Receive) -> Caller:
        while True:
            message = await self._receive(receive)
            if message["type"] == "connection_init":
                return await self._caller(message.get("payload") or {})
            if message["type"] == "subscribe":
                raise _Close(4401, "Unauthorized")

    async def _caller(self, payload: Mapping[str, Any]) -> Caller:
        """Who this is: by the payload's own header, else by what the handshake carried."""
        headers = self._headers
        given = {name.lower(): str(value) for name, value in payload.items()}
        if "authorization" in given:
            wanted = ("authorization", ORGANIZATION_HEADER)
            headers = {name: given[name] for name in wanted if name in given}
        try:
            principal = await self._authenticator.principal(headers, self._address)
        except Unavailable as error:
            raise _Close(1013, "Try again later") from error
        except LimitExceeded as error:
            wait = math.ceil(error.retry_after or 1)
            raise _Close(4429, f"Too many wrong keys: try again in {wait} s") from error
        except FairleadError as error:
            raise _Close(4403, "Forbidden") from error
        if principal is None:
            raise _Close(4403, "Forbidden")
        return Caller(self._authenticator, headers, principal)

    async def _subscribe(
        self, group: asyncio.TaskGroup, caller: Caller, id: str, request: GraphQLRequest
    ) -> None:
        if id in self._operations:
            raise _Close(4409, f"Subscriber for {id[:32]} already exists")
        if len(self._operations) >= _MAX_OPERATIONS:
            text = f"At most {_MAX_OPERATIONS} operations run at once on one socket."
            error = {"message": text, "extensions": {"code": "LIMIT_EXCEEDED"}}
            await self._say("error", id, [error])
            return
        self._operations[id] = group.create_task(self._operate(caller, id, request))

    async def _operate(self, caller: Caller, id: str, request: GraphQLRequest) -> None:
        try:
            try:
                await self._results(caller, id, request)
            except Refused as error:
                await self._forget_and_say(id, "error", error.errors)
            except (RightsEnded, _Gone):
                raise
            except Exception as error:
                await self._forget_and_say(id, "error", [internal(error)])
            else:
                await self._forget_and_say(id, "complete")
        finally:
            if self._operations.get(id) is asyncio.current_task():
                del self._operations[id]

    async def _results(self, caller: Caller, id: str, request: GraphQLRequest) -> None:
        principal = await caller.check()
        operation = self._engine.prepare(request, principal, self._address)
        if not operation.is_subscription:
            await self._next(id, await self._engine.execute(operation, principal))
            return
        async with aclosing(self._engine.events(operation, caller.check)) as events:
            head = b'{"id":' + orjson.dumps(id) + b',"type":"next","payload":'
            async for together in events:
                await self._write(*[head + told + b"}" for told in together])

    async def _forget_and_say(self, id: str, type: str, payload: Any = None) -> None:
        # The client may use the id again the moment it reads this.
        self._operations.pop(id, None)
        await self._say(type, id, payload)

    async def _next(self, id: str, response: Response) -> None:
        await self._say("next", id, response)

    async def _say(self, type: str, id: str | None = None, payload: Any = None) -> None:
        message = {"id": id, "type": type, "payload": payload}
        await self._write(encode({key: each for key, each in message.items() if each is not None}))

    async def _write(self, *texts: bytes) -> None:
        """Each is a message of its own; frames of ours leave in one piece."""
        try:
            if self._framed:
                frames = b"".join([text_frame(text) for text in texts])
                await self._send({"type": "websocket.send", "frames": frames})
            else:
                for text in texts:
                    await self._send({"type": "websocket.send", "text": text.decode()})
        except OSError as error:
            raise _Gone from error

    async def _receive(self, receive: Receive) -> dict[str, Any]:
        """The next message but pings. Raises _Close for anything that is not of the protocol."""
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                raise _Gone
            message = _message(event)
            if message["type"] == "ping":
                await self._say("pong")
            elif message["type"] != "pong":
                return message


_TYPES = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})


def _message(event: Mapping[str, Any]) -> dict[str, Any]:
    """A frame as a message of the protocol. Raises _Close."""
    text = event.get("text")
    if not isinstance(text, str):
        raise _Close(4400, "Send text frames")
    if len(text) > _MAX_FRAME or len(text.encode()) > _MAX_FRAME:
        raise _Close(1009, "Frame too large")
    try:
        message = decode_json(text)
    except FairleadError as error:
        raise _Close(4400, "Invalid JSON") from error
    type_ = message.get("type") if isinstance(message, dict) else None
    if not isinstance(type_, str) or type_ not in _TYPES:
        raise _Close(4400, "Invalid message")
    if type_ != "subscribe" and not isinstance(message.get("payload"), dict | None):
        raise _Close(4400, "Invalid payload")
    return dict(message)


def _id(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id or len(id) > 200:
        raise _Close(4400, "Invalid id")
    return id


def _subscription(message: Mapping[str, Any]) -> tuple[str, GraphQLRequest]:
    id = _id(message)
    payload = message.get("payload")
    if not isinstance(payload, dict):
        raise _Close(4400, "Invalid payload")
    try:
        return id, request_of(payload)
    except FairleadError as error:
        raise _Close(4400, "Invalid payload") from error


async def _close(send: Send, code: int, reason: str) -> None:
    await send({"type": "websocket.close", "code": code, "reason": reason})
