"""The few words of ASGI that the data plane speaks, without a framework."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from domain.errors import MalformedRequest, RequestTooLarge
from gateway.deadline import Deadline
from gateway.lines import by_name

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

LEAST_PACE = 256 * 1024
"""Bytes of a body in a second, for which it is waited longer."""
JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")


class ClientLeft(Exception):
    """The client went away before its request had come whole."""


def headers_of(scope: Scope) -> dict[str, str]:
    """By lower-case name; values of one that came twice are joined, and so match nothing."""
    return by_name(scope["headers"])


def client_of(scope: Scope) -> str:
    """The caller's network address, empty when the server does not know it."""
    client = scope.get("client")
    return client[0] if client else ""


async def read_body(
    receive: Receive, headers: Mapping[str, str], limit: int, deadline: Deadline
) -> bytes:
    """The whole body, at most `limit` bytes, by the deadline; later if it comes at a pace.

    Raises `RequestTooLarge`, `MalformedRequest` (408 when too slow) or `ClientLeft`.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise MalformedRequest("Send the body without compression.")
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    try:
        with deadline:
            return await _read(receive, limit, deadline)
    except TimeoutError:
        late = MalformedRequest("The body took too long to arrive.")
        late.status = 408
        raise late from None


async def _read(receive: Receive, limit: int, deadline: Deadline) -> bytes:
    first = await receive()
    if first["type"] == "http.request" and not first.get("more_body", False):
        body: bytes = first.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts = bytearray()
    message, ends = first, deadline.at
    while True:
        if message["type"] == "http.disconnect":
            raise ClientLeft
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return bytes(parts)
        deadline.at = ends + len(parts) / LEAST_PACE
        message = await receive()


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"The request is larger than {limit} bytes.")


async def respond(
    send: Send,
    status: int,
    body: bytes,
    headers: Iterable[Header] = (),
    *,
    close: bool = False,
) -> None:
    """One whole answer. `close`: the request may not have been read to its end."""
    sent: Sequence[Header] = [
        JSON,
        (b"content-length", b"%d" % len(body)),
        *headers,
        *((_CLOSE,) if close else ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body, "more_body": False})
