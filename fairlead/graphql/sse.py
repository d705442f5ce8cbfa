"""GraphQL over server-sent events, in the graphql-sse protocol's distinct connections mode."""

import asyncio
from contextlib import aclosing

from starlette.types import Receive, Send

from fairlead.graphql.encode import Response, encode
from fairlead.graphql.engine import Engine, Operation
from fairlead.graphql.errors import Refused
from fairlead.graphql.rights import Caller, RightsEnded

EVENT_STREAM = "text/event-stream"

_HEARTBEAT = 15.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class _Done(Exception):
    """The stream has ended, by whichever side."""


async def stream(
    engine: Engine, operation: Operation, caller: Caller, receive: Receive, send: Send
) -> None:
    """Answer with events until the operation, the client or the caller's right ends."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_results(engine, operation, caller, send))
            group.create_task(_heartbeat(send))
            group.create_task(_until_gone(receive))
            group.create_task(caller.watch())
    except* _Done:
        pass
    except* RightsEnded as ended:
        reason = str(ended.exceptions[0])
        await _next(send, {"errors": [{"message": reason, "extensions": {"code": "FORBIDDEN"}}]})
        await _complete(send)


async def refuse(send: Send, refusal: Refused) -> None:
    """Say in events why an operation does not run; clients of the protocol read nothing else."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await _next(send, {"errors": refusal.errors})
    await _complete(send)


async def _results(engine: Engine, operation: Operation, caller: Caller, send: Send) -> None:
    try:
        if operation.is_subscription:
            async with aclosing(engine.events(operation, caller.check)) as events:
                async for together in events:
                    await _event(send, *together)
        else:
            await _next(send, await engine.execute(operation, caller.principal))
    except Refused as error:
        await _next(send, {"errors": error.errors})
    await _complete(send)
    raise _Done


async def _heartbeat(send: Send) -> None:
    while True:
        await asyncio.sleep(_HEARTBEAT)
        await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Done


async def _next(send: Send, response: Response) -> None:
    await _event(send, encode(response))


async def _event(send: Send, *responses: bytes) -> None:
    events = b"".join([b"event: next\ndata: " + each + b"\n\n" for each in responses])
    await send({"type": "http.response.body", "body": events, "more_body": True})


async def _complete(send: Send) -> None:
    event = b"event: complete\ndata: \n\n"
    await send({"type": "http.response.body", "body": event, "more_body": False})
