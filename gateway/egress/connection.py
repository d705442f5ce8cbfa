"""One HTTP/1.1 connection: one request at a time, strict about how answers are framed."""

import asyncio
from typing import Protocol, cast

import httptools

from gateway.egress.errors import (
    Compressed,
    ConnectionLost,
    EgressError,
    MalformedResponse,
    ResponseTooLarge,
)
from gateway.egress.gathered import Gathered
from gateway.egress.inbound import Inbound
from gateway.egress.limits import Limits
from gateway.lines import by_name

Key = tuple[bool, str, int, bool]
"""What connections are shared by: TLS, host, port, and whether private addresses were allowed."""

_BODILESS = (204, 304)
_VERSIONS = ("1.1", "1.0")


class Keeper(Protocol):
    """Who keeps a connection: told when it is free for the next request, and when it is gone."""

    def released(self, connection: "Connection") -> None: ...

    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """`answered`: something came back since the last request. `idle_since` is the keeper's."""

    def __init__(self, key: Key, limits: Limits, keeper: Keeper) -> None:
        self.key = key
        self.idle_since = 0.0
        self.answered = False
        self._limits = limits
        self._keeper = keeper
        self.loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._pending: asyncio.Future[Inbound] | None = None
        self._inbound: Inbound | None = None
        self._complete = self._keep_alive = self._until_close = False
        self._received = self._interim = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = Gathered(cast(asyncio.Transport, transport), self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inbound is not None and self._until_close and exc is None:
            self._inbound.end()
        else:
            self._fail(
                ConnectionLost(
                    "The connection was lost before the answer was whole."
                    if self._inbound is not None
                    else "The connection was lost before an answer began.",
                    before_headers=self._inbound is None,
                )
            )
        self._keeper.lost(self)
        # The parser holds our bound methods: let go, so that no cycle waits for the collector.
        del self._parser

    @property
    def closed(self) -> bool:
        return self._transport.is_closing()

    async def exchange(self, request: bytes) -> Inbound:
        """Sends `request`, returns when the answer's head is in; closes when cancelled."""
        self.answered = False
        if self.closed:
            raise ConnectionLost("The connection was closed while idle.", before_headers=True)
        pending: asyncio.Future[Inbound] = self.loop.create_future()
        self._pending = pending
        self._received = self._interim = 0
        self._lines: list[tuple[bytes, bytes]] = []
        self._trailers = False
        self._transport.write(request)
        try:
            return await pending
        except asyncio.CancelledError:
            if self._pending is pending:
                self.close()
            elif not pending.cancelled() and pending.exception() is None:
                pending.result().abort()
            raise

    def close(self) -> None:
        """At once; a body that ends with its connection is then lost, not ended."""
        self._until_close = False
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.answered = True
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            return self._refuse(_reason(error))
        if self._complete:
            self._complete = False
            self._finish()
        elif self._received > (self._limits.head if self._pending else self._limits.response):
            self._refuse(ResponseTooLarge("The answer is larger than we accept."))

    def on_message_begin(self) -> None:
        if self._pending is None or self._transport.holds:
            # It comes while idle, behind an answer, or before anything was asked: it must not
            # become the next one's answer.
            raise MalformedResponse("The upstream sent an answer that nobody asked for.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._inbound is not None:
            self._trailers = True
            return
        self._lines.append((name, value))
        if len(self._lines) > self._limits.headers:
            raise _large_head()

    def on_headers_complete(self) -> None:
        if self._parser.get_http_version() not in _VERSIONS:
            raise MalformedResponse("The upstream does not answer in HTTP/1.1.")
        status = self._parser.get_status_code()
        if status < 200:
            # An interim answer; its headers still count towards the limits.
            self._interim = len(self._lines)
            return
        # What came is more than its lines, and mostly little enough.
        if self._received > self._limits.head and self._head_bytes() > self._limits.head:
            raise _large_head()
        headers = by_name(self._lines[self._interim :])
        self._check(headers)
        self._until_close = (
            "content-length" not in headers
            and "transfer-encoding" not in headers
            and status not in _BODILESS
        )
        self._inbound = Inbound(
            status,
            headers,
            limit=self._limits.buffered,
            flow=self._flow,
            abandon=self._abandon,
        )
        pending, self._pending = self._pending, None
        assert pending is not None
        if pending.done():
            self.close()
        else:
            pending.set_result(self._inbound)

    def _head_bytes(self) -> int:
        return sum(len(name) + len(value) for name, value in self._lines)

    def on_body(self, data: bytes) -> None:
        assert self._inbound is not None
        self._inbound.feed(data)

    def on_message_complete(self) -> None:
        if self._inbound is None:
            return
        self._complete = True
        # Asked now: once the message is behind it, the parser no longer knows.
        self._keep_alive = self._parser.should_keep_alive()
        self._inbound.end()
        self._inbound = None

    def _check(self, headers: dict[str, str]) -> None:
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise MalformedResponse("The answer has a transfer encoding that we do not take.")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Compressed("The answer is compressed, which was not asked for.")

    def _finish(self) -> None:
        reusable = (
            self._keep_alive
            and not self._trailers
            and not self.closed
            and self._transport.get_write_buffer_size() == 0
        )
        if reusable:
            self._flow(True)
            self._keeper.released(self)
        else:
            self.close()

    def _refuse(self, error: EgressError) -> None:
        self._fail(error)
        self.close()

    def _fail(self, error: EgressError) -> None:
        pending, self._pending = self._pending, None
        inbound, self._inbound = self._inbound, None
        if inbound is not None:
            inbound.fail(error)
        elif pending is not None and not pending.done():
            pending.set_exception(error)

    def _flow(self, reading: bool) -> None:
        if self._paused is not reading or self.closed:
            return
        self._paused = not reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _abandon(self, inbound: Inbound) -> None:
        if self._inbound is inbound:
            self._refuse(ConnectionLost("The exchange was aborted.", before_headers=False))


def _large_head() -> ResponseTooLarge:
    return ResponseTooLarge("The answer's head is larger than we accept.")


def _reason(error: Exception) -> EgressError:
    """Our own error when a callback raised it, else the parser's complaint in our words."""
    if isinstance(error.__context__, EgressError):
        return error.__context__
    return MalformedResponse("The upstream's answer is not valid HTTP/1.1.")
