"""uvicorn's HTTP protocol, whose requests have a wire by which they are answered directly."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.asgi import JSON, Header
from gateway.wire import WIRE

_FORBIDDEN = bytes({*range(32), 127} - {9})
"""What no header may hold; to look for it by a pattern takes seven times as long."""
_STREAM: Sequence[Header] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
_CHUNKED: Header = (b"transfer-encoding", b"chunked")


class HttpProtocol(HttpToolsProtocol):
    """One connection, whose requests are answered one after another.

    `plane` is asked on `/v1` at once, unless a proxy says for whom it speaks.
    """

    def __init__(self, *config: Any, plane: ASGIApp | None = None, **more: Any) -> None:
        super().__init__(*config, **more)
        self._plane = plane
        self._wire: HttpWire | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._wire = HttpWire(cycle)
        if cycle.waiting_for_100_continue:
            # Refused, it may send its body or another request: nobody could tell which.
            cycle.keep_alive = False
        scope = cycle.scope
        scope["extensions"] = {WIRE: self._wire}  # type: ignore[dict-item]
        if self._plane is not None and app is self.app and scope["path"].startswith("/v1/"):
            is_forwarded = b"x-forwarded-for" in [name for name, _ in scope["headers"]]
            app = app if is_forwarded else self._plane
        if not self._wire.chunks and scope["method"] != "HEAD":
            app = _UntilClosed(app, self._wire)
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        """Not into another request's answer, nor in its place: that one breaks off."""
        if self.pipeline or (self._wire is not None and self._wire.begun):
            return self.transport.close()
        super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Not of a connection on which something is still to be answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            return self.transport.close()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Without a timer for each: connections that idle are found by who watches them all."""
        if self.pipeline or self.transport.is_closing():
            return super().on_response_complete()
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.lose()


class HttpWire:
    """Implements `gateway.wire.ServedWire` for one request, in place of its cycle's `send`.

    A client of HTTP/1.0 knows no `chunks`: what has no length ends with its connection.
    """

    __slots__ = ("_cycle", "chunks", "left", "told")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle: RequestResponseCycle = cycle
        self.chunks = cycle.scope["http_version"] != "1.0"
        self.left = False
        self.told: Callable[[], None] | None = None

    @property
    def begun(self) -> bool:
        return self._cycle.response_started and not self._cycle.response_complete

    def body(self, limit: int) -> bytes | None:
        cycle = self._cycle
        if cycle.more_body or cycle.waiting_for_100_continue or len(cycle.body) > limit:
            return None
        cycle.flow.resume_reading()
        body, cycle.body = bytes(cycle.body), bytearray()
        return body

    def whole(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        if self.left:
            return
        length = (b"content-length", b"%d" % len(body))
        self._cycle.transport.write(self._head(status, (JSON, length, *headers)) + body)
        self._complete()

    async def begin(self, headers: Sequence[Header], events: bytes) -> None:
        await self.open(200, (*_STREAM, *headers), events)

    async def open(self, status: int, headers: Sequence[Header], data: bytes = b"") -> None:
        """An answer whose length is not known, and the first of it."""
        if self.left:
            return
        self._cycle.chunked_encoding = True
        framing = (_CHUNKED,) if self.chunks else ()
        await self._write(self._head(status, (*headers, *framing)) + self._framed(data))

    async def send(self, events: bytes) -> None:
        await self._write(self._framed(events))

    async def end(self, events: bytes) -> None:
        await self._write(self._framed(events) + (b"0\r\n\r\n" if self.chunks else b""))
        if not self.left:
            self._complete()

    def lose(self) -> None:
        """The connection is gone."""
        if self._cycle.response_complete:
            return
        # Of requests sent one behind another, uvicorn itself tells the last one alone.
        self._cycle.disconnected = self.left = True
        self._cycle.message_event.set()
        if self.told is not None:
            self.told()

    def _framed(self, data: bytes) -> bytes:
        """Of no bytes: none, as an empty chunk would end the body."""
        return b"%x\r\n%b\r\n" % (len(data), data) if data and self.chunks else data

    async def _write(self, data: bytes) -> None:
        flow = self._cycle.flow
        if flow.write_paused and not self.left:
            await flow.drain()
        if not self.left:
            self._cycle.transport.write(data)

    def _head(self, status: int, headers: Iterable[Header]) -> bytes:
        cycle = self._cycle
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        lines = [b": ".join(pair) for pair in (*cycle.default_headers, *headers)]
        if not cycle.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines)
        ends = 2 * len(lines) - 2
        if len(head) - len(head.translate(None, _FORBIDDEN)) != ends:
            raise RuntimeError("A header has characters that would end it.")
        return b"%b%b\r\n\r\n" % (STATUS_LINE[status], head)

    def _complete(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


class _UntilClosed:
    """An application for a client of HTTP/1.0."""

    def __init__(self, app: ASGIApp, wire: HttpWire) -> None:
        self._app = app
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        measured = False

        async def tell(message: Message) -> None:
            nonlocal measured
            begins = message["type"] == "http.response.start"
            if begins:
                headers = message.get("headers", ())
                measured = any(name.lower() == b"content-length" for name, _ in headers)
            if measured:
                await send(message)
            elif begins:
                await self._wire.open(message["status"], headers)
            elif message.get("more_body", False):
                await self._wire.send(message.get("body", b""))
            else:
                await self._wire.end(message.get("body", b""))

        await self._app(scope, receive, tell)
