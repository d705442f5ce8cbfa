"""One connection of the fake provider: bytes in, requests out, and bytes back as asked."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

import httptools

from tests.provider.log import Entry

Handler = Callable[["Wire", Entry, bytes], Awaitable[None]]

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Left(Exception):
    """The client is gone: nothing more can be sent."""


class Wire(asyncio.Protocol):
    """Requests are answered one at a time, in order; the client's leaving cancels the answer."""

    def __init__(self, number: int, answer: Handler, lost: Callable[["Wire"], None]) -> None:
        self._number = number
        self._answer = answer
        self._lost = lost
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Entry, bytes]] = deque()
        self._task: asyncio.Task[None] | None = None
        self.drip = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._entry = Entry(number, "", "", {})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.closed_by_us = False
        self.transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        self._lost(self)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        path = urlsplit(self._url.decode()).path
        entry = Entry(self._number, self._parser.get_method().decode(), path, self._headers)
        self._waiting.append((entry, bytes(self._body)))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        try:
            while self._waiting and not self.transport.is_closing():
                self._entry, body = self._waiting.popleft()
                self.drip = 0
                await self._answer(self, self._entry, body)
        except BaseException:
            self.transport.abort()
            raise
        finally:
            self._task = None

    async def write(self, data: bytes) -> None:
        """Waits while the client reads slowly; raises `Left` when it is gone.

        With `drip`, in pieces of so many bytes.
        """
        size = self.drip or len(data) or 1
        for start in range(0, len(data), size):
            await self._writable.wait()
            if self.transport.is_closing():
                raise Left
            self.transport.write(data[start : start + size])
            if self.drip:
                await asyncio.sleep(0)
        self._entry.bytes_sent += len(data)

    async def head(self, status: int, headers: dict[str, str]) -> None:
        lines = [
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        self._entry.status = status
        await self.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def chunk(self, data: bytes) -> None:
        """One HTTP chunk; empty data ends the body."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def close(self) -> None:
        """Ends the connection in order, yet before anything terminal was said."""
        await self._writable.wait()
        self.closed_by_us = True
        self.transport.close()

    async def reset(self) -> None:
        """Ends the connection with a TCP reset, once what was written has gone out."""
        await self._writable.wait()
        self.closed_by_us = True
        sock: socket.socket = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
