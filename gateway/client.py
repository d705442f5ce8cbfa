"""The one who is answered: how far the answer has come, and what was sent of it."""

from collections.abc import Iterable, Sequence

from gateway.asgi import Header, Send, respond

LONGEST_KEPT = 1024 * 1024
"""Bytes of an answer that is kept for who asks again."""
_STREAM: Sequence[Header] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class Client:
    """`remembers`: the events sent are remembered as long as they are few enough to be kept.

    `dismissed`: the server stops, and the client is still there. `gone`: it has left.
    """

    def __init__(self, send: Send, *, remembers: bool = False) -> None:
        self._send = send
        self._remembers = remembers
        self._sent: list[bytes] = []
        self._size = 0
        self.started = False
        self.completed = False
        self.dismissed = self.gone = False

    async def whole(self, status: int, body: bytes, headers: Iterable[Header]) -> None:
        self.started = self.completed = True
        await respond(self._send, status, body, headers)

    async def begin(self, headers: Iterable[Header]) -> None:
        """A stream; its headers."""
        self.started = True
        start = {"type": "http.response.start", "status": 200}
        await self._send(start | {"headers": [*_STREAM, *headers]})

    async def events(self, events: bytes) -> None:
        if self._remembers:
            self._remember(events)
        await self.comment(events)

    async def comment(self, comment: bytes) -> None:
        """What is no part of the answer."""
        await self._send({"type": "http.response.body", "body": comment, "more_body": True})

    async def end(self, events: bytes) -> None:
        """The last events of a whole answer."""
        self.completed = True
        await self._send({"type": "http.response.body", "body": events, "more_body": False})

    def remembered(self, end: bytes) -> bytes | None:
        """Everything sent, and `end`; None when that is too much to be kept."""
        if self._size + len(end) > LONGEST_KEPT:
            return None
        return b"".join((*self._sent, end))

    def _remember(self, events: bytes) -> None:
        self._size += len(events)
        if self._size <= LONGEST_KEPT:
            self._sent.append(events)
        else:
            self._sent.clear()
