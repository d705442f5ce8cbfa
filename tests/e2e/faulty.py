"""The server with bugs in it, whose exceptions repeat what they were handed."""

import asyncio
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from auth.identity import Authenticator
from auth.secrets import SecretBox
from fairlead.__main__ import main
from gateway.attempts import Attempts
from gateway.inference import Inference

_PRINCIPAL, _SEAL = Authenticator.principal, SecretBox.seal
_SERVE, _OPEN = Inference.serve, Attempts.open
_ASKED: ContextVar[bytes] = ContextVar("asked", default=b"")


async def principal(self: Any, headers: Any, *more: Any) -> Any:
    """At every door, with all that its caller sent."""
    if headers.get("x-bug"):
        raise ValueError(repr(headers))
    return await _PRINCIPAL(self, headers, *more)


def seal(self: Any, secret: Any, place: Any) -> Any:
    """In a mutation, with what was to be kept."""
    if secret.reveal().startswith("bug"):
        raise KeyError(secret.reveal())
    return _SEAL(self, secret, place)


async def _left_alone(body: bytes) -> None:
    raise RuntimeError(body.decode())


async def serve(self: Any, *given: Any, **more: Any) -> None:
    """On the data plane, in a task that nobody waits for, or in the request's own."""
    body = given[3]
    _ASKED.set(body)
    if b"bug-task" in body:
        await asyncio.wait({asyncio.create_task(_left_alone(body))})
    if b"bug-serve" in body:
        error = ValueError(body.decode())
        error.add_note(body.decode())
        raise error from KeyError(body)
    await _SERVE(self, *given, **more)


async def opened(self: Any) -> Any:
    """In the task that a client's going away does not end."""
    if b"bug-pump" in _ASKED.get():
        raise LookupError(_ASKED.get().decode())
    return await _OPEN(self)


if __name__ == "__main__":
    with (
        patch.object(Authenticator, "principal", principal),
        patch.object(SecretBox, "seal", seal),
        patch.object(Inference, "serve", serve),
        patch.object(Attempts, "open", opened),
    ):
        main()
