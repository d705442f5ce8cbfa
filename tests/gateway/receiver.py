"""Receivers of webhooks on real sockets, and a client whose names lead to them."""

import asyncio
import json
import ssl
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlsplit

from gateway.egress.client import HttpClient, Outbound
from gateway.egress.guard import AddressGuard
from gateway.egress.inbound import Inbound


@dataclass(frozen=True, slots=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)["data"]


class Receiver:
    """Answers with `status` and `headers`; while `open` is clear it reads and does not answer."""

    def __init__(self, status: int = 204, tls: ssl.SSLContext | None = None) -> None:
        self.status = status
        self.headers = ""
        self.open = asyncio.Event()
        self.open.set()
        self.received: list[Received] = []
        self.waiting = self.most_waiting = 0
        self._came = asyncio.Event()
        self._tls = tls

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.host_port = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open.set()
        self._server.close()

    async def got(self, count: int) -> list[Received]:
        """What was received, once it is so many."""
        async with asyncio.timeout(15):
            while len(self.received) < count:
                self._came.clear()
                await self._came.wait()
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                headers = dict(line.split(": ", 1) for line in lines)
                body = await reader.readexactly(int(headers["content-length"]))
                self.received.append(Received(headers, body))
                self._came.set()
                self.waiting += 1
                self.most_waiting = max(self.most_waiting, self.waiting)
                try:
                    await self._until_open(reader)
                finally:
                    self.waiting -= 1
                answer = f"HTTP/1.1 {self.status} X\r\n{self.headers}content-length: 0\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _until_open(self, reader: asyncio.StreamReader) -> None:
        """Raises ConnectionError when the sender gives up first."""
        opened = asyncio.ensure_future(self.open.wait())
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({opened, gone}, return_when=asyncio.FIRST_COMPLETED)
        given_up = gone.done() and not self.open.is_set()
        opened.cancel()
        gone.cancel()
        if given_up:
            raise ConnectionError


class Rerouted(HttpClient):
    """The product's client, with `https://<name>` leading to a receiver on this machine.

    The guard refuses loopback for webhooks, so a test gives it other names; tests of the guard
    use the client as it is.
    """

    def __init__(self, **receivers: Receiver) -> None:
        super().__init__(AddressGuard([each.host_port for each in receivers.values()]))
        self._places = {name: each.host_port for name, each in receivers.items()}

    async def send(self, request: Outbound) -> Inbound:
        parts = urlsplit(request.url)
        place = self._places[str(parts.hostname).partition(".")[0]]
        url = f"http://{place}{parts.path or '/'}"
        return await super().send(replace(request, url=url, private_allowed=True))
