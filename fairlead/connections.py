"""What uvicorn leaves open: bounds a request's head, and cuts connections that keep us waiting."""

import asyncio
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fairlead.frames import EXTENSION
from fairlead.protocol import HttpProtocol
from gateway.egress.gathered import Gathered

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024
"""Of a request's head, or of what may follow a body."""
MOST_HEADERS = 200
MOST_WAITING = 16
"""Requests of one connection, behind the one that is being answered."""
_MOST_HELD = 2 * 1024
"""Bytes of events; more leaves at once, so that the first of many need not wait for the last."""
CLOSING = 5.0
"""Seconds for a client to answer the close of its WebSocket."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: for a whole head; for another request; for the end of a body that nobody reads any
    more, or a client to take anything of its answer; for a closed connection to be gone. `look` is
    how often we look.
    """

    head: float = 10.0
    idle: float = 5.0
    unread: float = 60.0
    closing: float = 10.0
    look: float = 1.0


class Counted(Gathered):
    """A transport that knows how much it was given to send."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(transport, loop)
        self._written = 0

    def write(self, data: bytes) -> None:
        self._written += len(data)
        super().write(data)

    @property
    def taken(self) -> int:
        """Bytes that have left for good; where the system does not tell, those it took from us."""
        return self._written - self.get_write_buffer_size() - self._unacknowledged()

    def _unacknowledged(self) -> int:
        """In the system's own buffer, which takes megabytes before it takes more of us again."""
        count = bytearray(4)
        with suppress(OSError):
            ioctl(self.get_extra_info("socket").fileno(), TIOCOUTQ, count)
        return int.from_bytes(count, sys.byteorder)


class _Watched:
    """What a connection was last seen waiting for, and since when (the loop's clock)."""

    transport: Any
    seen: tuple[object, ...] = ()
    since = 0.0

    def waits_for(self, waits: Waits) -> tuple[float, tuple[object, ...]] | None:
        """How long it may, and what tells whether it is still the same; None: for nothing."""
        transport = self.transport
        if transport.is_closing():
            return waits.closing, ("closing", transport.taken)
        if transport.get_write_buffer_size():
            return waits.unread, ("unread", transport.taken)
        return None


class WatchedHttp(_Watched, HttpProtocol):
    """HTTP whose heads end; `_unheard` are bytes that have not led to anything yet."""

    _unheard = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Counted(transport, self.loop))  # type: ignore[arg-type]
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._unheard += len(data)
        super().data_received(data)
        if self._unheard > MOST_BYTES and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(STATUS_LINE[431] + b"connection: close\r\n\r\n")
            self.transport.close()

    def on_headers_complete(self) -> None:
        if len(self.headers) > MOST_HEADERS:
            raise ValueError("too many headers")
        if len(self.pipeline) >= MOST_WAITING:
            # A packet can hold thousands, each of which is a task and its state.
            raise ValueError("too many requests behind each other")
        self._unheard = 0
        super().on_headers_complete()
        # What follows a body in chunks is added to the parser's own list, and is no header.
        self.scope["headers"] = self.headers.copy()

    def on_body(self, body: bytes) -> None:
        self._unheard = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unheard = 0
        super().on_message_complete()

    def waits_for(self, waits: Waits) -> tuple[float, tuple[object, ...]] | None:
        otherwise, cycle = super().waits_for(waits), self.cycle
        if otherwise is not None or (cycle is not None and not cycle.response_complete):
            return otherwise
        if cycle is not None and not self._unheard:
            return waits.idle, ("idle", cycle)
        return waits.head, ("head", cycle)


class WatchedWebSocket(_Watched, WebSocketsSansIOProtocol):
    """A WebSocket that hears no more, pings neither, while its client does not read."""

    def __init__(self, *config: Any, **more: Any) -> None:
        super().__init__(*config, **more)
        self.close_timeout = CLOSING

    def connection_made(self, transport: Any) -> None:
        counted = transport if isinstance(transport, Counted) else Counted(transport, self.loop)
        counted.most = _MOST_HELD
        super().connection_made(counted)  # type: ignore[arg-type]

    def waits_for(self, waits: Waits) -> tuple[float, tuple[object, ...]] | None:
        otherwise = super().waits_for(waits)
        if otherwise is not None or self.handshake_initiated:
            return otherwise
        return waits.head, ("head",)

    async def run_asgi(self) -> None:
        self.scope["extensions"][EXTENSION] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        frames = message.get("frames")
        if frames is None:
            return await super().send(message)
        await self.writable.wait()
        if self.disconnected:
            raise ClientDisconnected
        if not self.close_sent:
            self.transport.write(frames)

    def pause_writing(self) -> None:
        super().pause_writing()
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()


async def watch(connections: Collection[Any], waits: Waits = Waits()) -> None:
    """Abort each connection that has waited for the same thing too long. Never returns."""
    now = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(waits.look)
        for each in [one for one in connections if isinstance(one, _Watched)]:
            try:
                _look(each, waits, now())
            except Exception:
                log.exception("a connection cannot be watched")


def _look(connection: _Watched, waits: Waits, now: float) -> None:
    found = connection.waits_for(waits)
    if found is None:
        connection.seen = ()
        return
    within, seen = found
    if seen != connection.seen:
        connection.seen, connection.since = seen, now
    elif now - connection.since >= within:
        connection.transport.abort()
