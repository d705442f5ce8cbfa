"""Requests that come by GraphQL: served as those to /v1 are, without a socket between."""

import asyncio
import uuid
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Any

import msgspec

from domain.completion import Completion, Receipt, Said
from domain.decision import Decision
from domain.errors import FairleadError, LimitExceeded, ProviderError, ProviderRejected
from domain.principal import Principal
from domain.usage import TokenUsage
from gateway.asgi import Header
from gateway.inference import Inference
from gateway.openai import completions
from gateway.openai.said import Read, read

_QUEUED = 64
"""Messages between the pump and its reader; a reader that is slow stops the upstream."""
_DATA = b"data: "
_DONE = b"[DONE]"
_ERROR = b'{"error"'
_STREAMED = {"stream": True, "stream_options": {"include_usage": True}}

_encode = msgspec.json.Encoder().encode


class _Said(msgspec.Struct):
    message: str = "The request failed."


class _Failed(msgspec.Struct):
    error: _Said = msgspec.field(default_factory=_Said)


_failed = msgspec.json.Decoder(_Failed)


class Completer:
    """Implements `domain.ports.Completer`."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    async def complete(
        self, caller: Principal, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Completion:
        wire, body = _Wire(), _encode({**fields, "stream": False})
        async with aclosing(wire.pieces(self._serve(wire, caller, body, headers))) as pieces:
            answer = b"".join([piece async for piece in pieces])
        if wire.status != 200:
            raise _error(wire, answer)
        found = read(answer)
        return Completion(found.said, wire.receipt(found))

    async def stream(
        self, caller: Principal, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[Said | Receipt, None]:
        wire, body = _Wire(), _encode({**fields, **_STREAMED})
        last: Read | None = None
        async with aclosing(wire.pieces(self._serve(wire, caller, body, headers))) as pieces:
            async for event in _events(wire, pieces):
                if event == _DONE and last is not None:
                    yield wire.receipt(last)
                    return
                if event.startswith(_ERROR):
                    raise ProviderError(_failed.decode(event).error.message)
                found = read(event)
                last = found if found.usage is not None else last
                if found.said:
                    yield found.said
        raise ProviderError("The answer could not be completed.")

    def _serve(
        self, wire: "_Wire", caller: Principal, body: bytes, headers: Mapping[str, str]
    ) -> Coroutine[Any, Any, None]:
        return self._inference.serve(completions, caller, headers, body, wire, decided=wire.decided)


class _Wire:
    """Implements `gateway.wire.Wire`: a status, headers, and a body in pieces.

    Who stops reading before the end has left.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.decision: Decision | None = None
        self.left = False
        self.told: Callable[[], None] | None = None
        self._complete = False
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED)

    def decided(self, decision: Decision) -> None:
        self.decision = decision

    def receipt(self, found: Read) -> Receipt:
        """Of a whole answer, which says what it used."""
        assert self.decision is not None
        return Receipt(
            request_id=uuid.UUID(self.headers["x-fairlead-request-id"]),
            provider=self.headers["x-fairlead-provider"],
            model=self.headers["x-fairlead-model"],
            usage=found.usage or TokenUsage(),
            estimated=found.estimated,
            cost=found.cost,
            decision=self.decision,
        )

    def whole(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self._begun(status, headers)
        self._complete = True
        self._queue.put_nowait(body)

    async def begin(self, headers: Sequence[Header], events: bytes) -> None:
        self._begun(200, headers)
        await self.send(events)

    async def send(self, events: bytes) -> None:
        await self._queue.put(events)

    async def end(self, events: bytes) -> None:
        await self.send(events)
        self._complete = True

    async def pieces(self, serving: Coroutine[Any, Any, None]) -> AsyncGenerator[bytes, None]:
        """The body; raises what `serving` raises. Leaving early ends the request.

        Once the answer is whole, what is left to do of it (its upstream's end) is nobody's wait.
        """
        task = asyncio.create_task(serving)
        try:
            while not (self._complete or task.done()) or not self._queue.empty():
                taking = asyncio.ensure_future(self._queue.get())
                await asyncio.wait({taking, task}, return_when=asyncio.FIRST_COMPLETED)
                if taking.done():
                    yield taking.result()
                else:
                    taking.cancel()
            if not self._complete:
                await task
        finally:
            if not self._complete:
                self.left = True
                if self.told is not None:
                    self.told()
                await asyncio.wait([task])

    def _begun(self, status: int, headers: Sequence[Header]) -> None:
        self.status = status
        self.headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in headers}


async def _events(wire: _Wire, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each event; comments are passed over. Raises for an answer that is no stream."""
    held = b""
    async for piece in pieces:
        held += piece
        if wire.status != 200:
            continue
        *events, held = held.split(b"\n\n")
        for event in events:
            if event.startswith(_DATA):
                yield event[len(_DATA) :]
    if wire.status != 200:
        raise _error(wire, held)


def _error(wire: _Wire, body: bytes) -> FairleadError:
    """What the answer of a failed request says, as the failure it was."""
    try:
        words = _failed.decode(body).error.message
    except msgspec.DecodeError:
        words = _Said().message
    provider = wire.headers.get("x-fairlead-provider", "")
    if wire.status == 429:
        wait = wire.headers.get("retry-after")
        return LimitExceeded(words, retry_after=None if wait is None else float(wait))
    if 400 <= wire.status < 500:
        return ProviderRejected(words, provider=provider, upstream_status=wire.status)
    return ProviderError(words, provider=provider, upstream_status=wire.status or None)
