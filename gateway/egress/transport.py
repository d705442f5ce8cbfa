"""httpx2 on our own client, so that the control plane goes out through the same guard."""

import asyncio
from collections.abc import AsyncIterator

import httpx2

from gateway.egress.client import FRAMING_HEADERS, HttpClient, Outbound
from gateway.egress.errors import ConnectFailed, ConnectTimeout, EgressError, ForbiddenAddress
from gateway.egress.inbound import Inbound

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer that the control plane reads."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Give it to `httpx2.AsyncClient(transport=…, trust_env=False)`; the client outlives it.

    Only `ForbiddenAddress` comes through as it is: everything else becomes httpx2's own error.
    """

    def __init__(self, http: HttpClient, *, private_allowed: bool = False) -> None:
        self._http = http
        self._private_allowed = private_allowed

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        timeouts = request.extensions.get("timeout", {})
        headers = request.headers.items()
        outbound = Outbound(
            request.method,
            str(request.url),
            [(name, value) for name, value in headers if name not in FRAMING_HEADERS],
            await request.aread(),
            timeouts.get("connect") or 5.0,
            self._private_allowed,
        )
        limit = timeouts.get("read")
        try:
            async with asyncio.timeout(limit):
                inbound = await self._http.send(outbound)
        except ForbiddenAddress:
            raise
        except (EgressError, TimeoutError) as error:
            raise _translated(error, request) from error
        return httpx2.Response(
            inbound.status, headers=inbound.headers, stream=_Body(inbound, request, limit)
        )


class _Body(httpx2.AsyncByteStream):
    def __init__(self, inbound: Inbound, request: httpx2.Request, limit: float | None) -> None:
        self._inbound = inbound
        self._request = request
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            while True:
                async with asyncio.timeout(self._limit):
                    data = await self._inbound.next_piece()
                if not data:
                    return
                size += len(data)
                if size > MAX_BODY:
                    raise httpx2.ReadError("The answer is too long.", request=self._request)
                yield data
        except (EgressError, TimeoutError) as error:
            raise _translated(error, self._request) from error

    async def aclose(self) -> None:
        self._inbound.abort()


def _translated(error: Exception, request: httpx2.Request) -> httpx2.TransportError:
    kinds: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
        (ConnectTimeout, httpx2.ConnectTimeout),
        (ConnectFailed, httpx2.ConnectError),
        (TimeoutError, httpx2.ReadTimeout),
    )
    for ours, theirs in kinds:
        if isinstance(error, ours):
            return theirs(str(error), request=request)
    return httpx2.RemoteProtocolError(str(error), request=request)
