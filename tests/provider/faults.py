"""The fake provider's ways to fail in place of a whole answer, or in the midst of one."""

import asyncio
import gzip
from typing import Any

from tests.provider import google
from tests.provider.behaviour import Behaviour, Fault
from tests.provider.encoding import encode, event
from tests.provider.log import Entry
from tests.provider.script import Turn
from tests.provider.wire import Wire

JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
_PAGE = b"<!doctype html><title>Welcome</title><p>Please sign in."
_BOMB = gzip.compress(bytes(8 * 1024 * 1024))
"""A thousand times as long once it is unpacked."""
_PIECE = b"x" * 1024 * 1024


async def whole(wire: Wire, entry: Entry, status: int, answer: object, **headers: str) -> None:
    body = encode(answer)
    await wire.head(status, {**JSON, "content-length": str(len(body)), **headers})
    await wire.write(body)
    entry.finished = True


async def fails(wire: Wire, entry: Entry, turn: Turn) -> bool:
    """Answers with the refusal or the fault that takes the whole answer's place, if any."""
    behaviour, format = turn.behaviour, turn.format
    match behaviour.refusal:
        case "nooptions" if "stream_options" in entry.body:
            text = "Unrecognized request argument supplied: stream_options"
            await whole(wire, entry, 400, format.error(400, text))
            return True
        case "noprefill" if turn.asked.texts[-1][0] in ("assistant", "model"):
            text = "This model does not support assistant message prefill."
            await whole(wire, entry, 400, format.error(400, text))
            return True
        case "contextlength" | "contentfilter" as kind:
            await _refuses(wire, entry, turn, *format.refusal(kind))
            return True
    return await _faults(wire, entry, turn)


async def _faults(wire: Wire, entry: Entry, turn: Turn) -> bool:
    behaviour, format = turn.behaviour, turn.format
    match behaviour.fault:
        case Fault.FAIL | Fault.FLAP:
            await _refused(wire, entry, turn)
        case Fault.ERROR200:
            await _refuses(wire, entry, turn, 200, format.error(500, "Injected failure."))
        case Fault.HTML:
            await _said(wire, entry, "text/html", _PAGE)
        case Fault.GZIP:
            kind = STREAM if turn.asked.stream else JSON
            await _said(wire, entry, kind["content-type"], _BOMB, **{"content-encoding": "gzip"})
        case Fault.RESET:
            await wire.reset()
        case Fault.SILENT:
            await asyncio.Event().wait()
        case _:
            return False
    return True


async def _refused(wire: Wire, entry: Entry, turn: Turn) -> None:
    behaviour, format = turn.behaviour, turn.format
    status = 503 if behaviour.fault is Fault.FLAP else behaviour.at
    wait = behaviour.retry_after
    headers = {} if wait is None else {"retry-after": str(wait)}
    code = "rate_limit_exceeded" if status == 429 else "server_error"
    wrong = format.error(status, f"Injected failure {status}.", code)
    listed = format is google and turn.asked.stream
    await whole(wire, entry, status, [wrong] if listed else wrong, **headers)


async def _refuses(wire: Wire, entry: Entry, turn: Turn, status: int, answer: Any) -> None:
    """In a success, what refuses a stream is an event."""
    if status != 200 or not turn.asked.stream:
        return await whole(wire, entry, status, answer)
    await wire.head(200, STREAM)
    await wire.chunk(event(answer, "error" if answer.get("type") == "error" else None))
    await wire.chunk(b"")
    entry.finished = True


async def _said(wire: Wire, entry: Entry, kind: str, body: bytes, **headers: str) -> None:
    length = {"content-type": kind, "content-length": str(len(body)), **headers}
    await wire.head(200, length)
    await wire.write(body)
    entry.finished = True


async def interrupts(wire: Wire, entry: Entry, turn: Turn) -> bool:
    """Injects a fault that is due after this many chunks; True when the answer ends by it."""
    behaviour = turn.behaviour
    if entry.chunks != behaviour.at:
        return False
    match behaviour.fault:
        case Fault.MALFORMED:
            await wire.chunk(b'data: {"choices": [{"delta"\n\n')
        case Fault.INBAND:
            await wire.chunk(turn.format.failed())
            await wire.chunk(b"")
            return True
        case Fault.HUGE:
            await wire.chunk(b"data: ")
            await endless(wire)
        case Fault.CUT | Fault.RST | Fault.STALL:
            await breaks(wire, behaviour)
            return True
    return False


async def endless(wire: Wire) -> None:
    """One line without an end, until the client has had enough."""
    while True:
        await wire.chunk(_PIECE)


async def breaks(wire: Wire, behaviour: Behaviour) -> None:
    if behaviour.fault is Fault.STALL:
        await asyncio.Event().wait()
    if behaviour.fault is Fault.RST:
        await wire.reset()
    else:
        await wire.close()
