"""An upstream's answer: its head at once, its body as it comes, bounded when nobody reads."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from gateway.egress.errors import EgressError, ResponseTooLarge


class Inbound:
    """`headers` have lower-case names; a name that came twice has its values joined by ", ".

    Whoever receives one reads it to its end or calls `abort()`. Waiting for a piece may be
    cancelled and begun again.
    """

    __slots__ = (
        "_abandon",
        "_ended",
        "_error",
        "_flow",
        "_limit",
        "_parts",
        "_size",
        "_waiter",
        "headers",
        "status",
    )

    def __init__(
        self,
        status: int,
        headers: dict[str, str],
        *,
        limit: int,
        flow: Callable[[bool], None],
        abandon: Callable[["Inbound"], None],
    ) -> None:
        self.status = status
        self.headers = headers
        self._limit = limit
        self._flow = flow
        self._abandon = abandon
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: EgressError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def chunks(self) -> AsyncIterator[bytes]:
        """Everything that has arrived, as it arrives; a body that breaks off raises `EgressError`.

        Pieces are not the upstream's own chunks: an event may be split or joined with others.
        """
        return _Chunks(self)

    def whole(self, limit: int) -> bytes | None:
        """The whole body, unread, where it is there already and has at most `limit` bytes."""
        if not self._ended or self._error is not None or self._size > limit:
            return None
        return self._taken()

    async def read(self, limit: int) -> bytes:
        """The whole body; raises `ResponseTooLarge` past `limit` bytes, having aborted."""
        body = bytearray()
        async for data in self.chunks():
            body += data
            if len(body) > limit:
                self.abort()
                raise ResponseTooLarge(f"The answer is longer than {limit} bytes.")
        return bytes(body)

    def abort(self) -> None:
        """Ends the exchange: the connection is closed unless the body has come whole."""
        self._abandon(self)

    async def next_piece(self) -> bytes:
        """What has arrived since; empty at the end."""
        while not self._parts:
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._taken()

    def _taken(self) -> bytes:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        if self._size > self._limit and not self._ended:
            self._flow(True)
        self._size = 0
        return data

    def feed(self, data: bytes) -> None:
        """A piece came; too many unread ones stop the connection's reading."""
        self._parts.append(data)
        paused = self._size > self._limit
        self._size += len(data)
        if self._size > self._limit and not paused:
            self._flow(False)
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def fail(self, error: EgressError) -> None:
        """Readers get what came before, then `error`."""
        self._error = error
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class _Chunks:
    __slots__ = ("_next",)

    def __init__(self, inbound: Inbound) -> None:
        self._next = inbound.next_piece

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if data := await self._next():
            return data
        raise StopAsyncIteration
