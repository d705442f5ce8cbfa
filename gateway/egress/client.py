"""Our HTTP/1.1 client for the hot path: guarded, pooled, no redirects, no proxies."""

import asyncio
import os
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.egress.connection import Connection, Key
from gateway.egress.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    EgressError,
    UnsendableRequest,
)
from gateway.egress.guard import AddressGuard
from gateway.egress.inbound import Inbound
from gateway.egress.limits import Limits
from gateway.egress.target import Target

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FRAMING_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Set by the client alone: with them a caller could frame a request that is read as two."""

_USUAL = frozenset({"authorization", "content-type", "user-agent", "x-api-key"})


@dataclass(slots=True)
class Outbound:
    """A request. `connect_timeout` is in seconds and covers lookup, TCP and TLS.

    `private_allowed`: the operator's list of private hosts applies.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    connect_timeout: float = 5.0
    private_allowed: bool = False


class HttpClient:
    """Keeps connections per origin; every one leads to an address the guard returned."""

    def __init__(
        self,
        guard: AddressGuard,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self._limits = limits
        self._tls = tls or ssl.create_default_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._open: set[Connection] = set()
        self._idle: dict[Key, dict[Connection, None]] = {}
        self._idle_count = 0
        self._sweeper: asyncio.TimerHandle | None = None

    async def send(self, request: Outbound) -> Inbound:
        """The answer once its head is in, whatever its status; redirects are answers.

        Raises `EgressError`. Cancelling closes the connection. A request that met a connection
        closed while idle is sent once more, on a new one.
        """
        private_allowed = request.private_allowed
        target = self._guard.check(request.url, private_allowed=private_allowed)
        payload = _encode(request, target)
        key = (target.tls, target.host, target.port, private_allowed)
        kept = self._take(key)
        if kept is not None:
            began = kept.loop.time()
            try:
                return await kept.exchange(payload)
            except ConnectionLost:
                if kept.answered or kept.loop.time() - began >= self._limits.stale_time:
                    raise
        connection = await self._connect(target, key, request.connect_timeout)
        return await connection.exchange(payload)

    async def close(self) -> None:
        """Closes every connection, those in use as well."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in tuple(self._open):
            connection.close()

    @property
    def connections(self) -> int:
        """Open connections, idle ones included."""
        return len(self._open)

    def _take(self, key: Key) -> Connection | None:
        """The connection that was used last: the others can then grow old and go."""
        bucket = self._idle.get(key)
        if not bucket:
            return None
        connection, _ = bucket.popitem()
        self._idle_count -= 1
        if not bucket:
            del self._idle[key]
        return connection

    def released(self, connection: Connection) -> None:
        """The connection may carry another request."""
        if self._idle_count >= self._limits.idle:
            return connection.close()
        loop = connection.loop
        connection.idle_since = loop.time()
        self._idle.setdefault(connection.key, {})[connection] = None
        self._idle_count += 1
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._limits.idle_time, self._sweep)

    def lost(self, connection: Connection) -> None:
        """The connection is gone."""
        self._open.discard(connection)
        bucket = self._idle.get(connection.key)
        if bucket is not None and connection in bucket:
            del bucket[connection]
            self._idle_count -= 1
            if not bucket:
                del self._idle[connection.key]

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._limits.idle_time
        for bucket in self._idle.values():
            for connection in bucket:
                if connection.idle_since > oldest:
                    break
                connection.close()
        self._sweeper = None
        if self._idle:
            self._sweeper = loop.call_later(self._limits.idle_time, self._sweep)

    async def _connect(self, target: Target, key: Key, within: float) -> Connection:
        if len(self._open) >= self._limits.connections:
            raise ConnectFailed("Too many connections are open.")
        deadline = asyncio.get_running_loop().time() + within
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._guard.addresses(target, private_allowed=key[3])
        except TimeoutError:
            raise ConnectTimeout(f"`{target.host}` was not looked up in time.") from None
        return await self._reach(target, key, addresses, deadline)

    async def _reach(
        self, target: Target, key: Key, addresses: Sequence[str], deadline: float
    ) -> Connection:
        """Tries each address in turn with a fair share of the time that is left."""
        loop = asyncio.get_running_loop()
        failure: OSError = OSError()
        for tried, address in enumerate(addresses):
            share = (deadline - loop.time()) / (len(addresses) - tried)
            try:
                async with asyncio.timeout(share):
                    _, connection = await loop.create_connection(
                        lambda: Connection(key, self._limits, self),
                        address,
                        target.port,
                        ssl=self._tls if target.tls else None,
                        server_hostname=target.host if target.tls else None,
                    )
            except OSError as error:
                failure = error
            else:
                # Not before: uvloop tells no protocol when a connect is cancelled at its end.
                if not connection.closed:
                    self._open.add(connection)
                return connection
        raise _explained(target, failure)


def _explained(target: Target, failure: OSError) -> EgressError:
    """Says what failed without the address, which may be none of the caller's business."""
    where = f"`{target.authority}`"
    if isinstance(failure, TimeoutError):
        return ConnectTimeout(f"{where} did not accept a connection in time.")
    if isinstance(failure, ssl.SSLCertVerificationError):
        return ConnectFailed(f"{where} has no valid certificate: {failure.verify_message}.")
    if isinstance(failure, ssl.SSLError):
        return ConnectFailed(f"{where} does not speak TLS as we do.")
    said = os.strerror(failure.errno) if failure.errno else "no connection"
    return ConnectFailed(f"{where} cannot be reached: {said}.")


def _encode(request: Outbound, target: Target) -> bytes:
    """The request as bytes; raises `UnsendableRequest` rather than let a value break out."""
    if request.method not in _METHODS:
        raise UnsendableRequest("The method is not one we send.")
    lines = [
        f"{request.method} {target.path} HTTP/1.1\r\nhost: {target.host_header}\r\n"
        "accept-encoding: identity\r\n"
    ]
    for name, value in request.headers:
        if name not in _USUAL and (not _NAME.fullmatch(name) or name.lower() in FRAMING_HEADERS):
            raise UnsendableRequest("A header of that name is not one we send.")
        if not (value.isascii() and value.isprintable()):
            raise UnsendableRequest(f"The value of header `{name}` has forbidden characters.")
        lines.append(f"{name}: {value}\r\n")
    if request.body or request.method != "GET":
        lines.append(f"content-length: {len(request.body)}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("ascii") + request.body
