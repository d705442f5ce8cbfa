"""An upstream that sends exactly the bytes it was given, to test what no real server sends."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Self

from gateway.egress.client import HttpClient, Outbound
from gateway.egress.inbound import Inbound

HANG_UP = b""
"""In a script: close the connection. A script that ends without it keeps the connection open."""
RESET = b"\0reset"
"""In a script: reset the connection."""
OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"content-length: 2\r\n\r\nhi"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


class Scripted:
    """Answers each request on each connection with the next script, a list of writes."""

    def __init__(self, *scripts: Sequence[bytes], tls: ssl.SSLContext | None = None) -> None:
        self._scripts = list(scripts)
        self._tls = tls
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0
        self.requests: list[bytes] = []
        self.done = asyncio.Event()
        self.gone = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.host_port = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host_port}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Closes every connection from our side."""
        for writer in self._writers:
            writer.close()

    def blurt(self, data: bytes) -> None:
        """Sends `data` on every connection, asked or not."""
        for writer in self._writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head + await reader.readexactly(_length(head)))
                for data in self._scripts.pop(0):
                    if data == HANG_UP:
                        return writer.close()
                    if data == RESET:
                        return _reset(writer)
                    writer.write(data)
                    await writer.drain()
                self.done.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone.set()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def ask(http: HttpClient, server: Scripted, body: bytes = b"{}") -> Inbound:
    return await http.send(Outbound("POST", server.url, body=body, private_allowed=True))


async def collect(inbound: Inbound, into: bytearray) -> None:
    async for data in inbound.chunks():
        into += data


async def answer(http: HttpClient, server: Scripted) -> bytes:
    return await (await ask(http, server)).read(10_000_000)
