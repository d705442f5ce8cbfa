"""Serves until a signal, then comes to an end in order; a second signal makes it quick."""

import asyncio
import resource
import signal
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from fairlead.connections import WatchedHttp, WatchedWebSocket, watch
from gateway.drain import Drain

_LARGEST_FRAME = 64 * 1024
_MANY = 100_000
"""Connections that clients may have open at once, where there are files for as many."""
_LAST_WORDS = 5.0
"""Seconds for the error events of requests that did not end in time."""
_OTHERS = 2
"""Seconds for what is not inference once that has ended: pages, GraphQL, event streams."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """Seconds. For `delay` after the signal new requests are still served, while we are unready;
    then those at work have `grace`.
    """

    delay: float
    grace: float


class Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn closes its socket at the first one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: ASGIApp, plane: ASGIApp, listener: socket.socket, drain: Drain, ending: Ending
) -> None:
    """Returns when the last request has ended. Signals that come after that change nothing.

    `plane` is what `app` asks on `/v1`.
    """
    server = _server(app, plane)
    told, hurried = asyncio.Event(), asyncio.Event()

    def tell() -> None:
        (hurried if told.is_set() else told).set()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, tell)
    serving = loop.create_task(server.serve([listener]))
    watching = loop.create_task(watch(server.server_state.connections))
    await _first(told.wait(), _ended(serving))
    if not serving.done():
        await _drained(drain, ending, hurried)
        server.config.timeout_graceful_shutdown = 0 if hurried.is_set() else _OTHERS
        server.should_exit = True
    await serving
    watching.cancel()


async def _drained(drain: Drain, ending: Ending, hurried: asyncio.Event) -> None:
    drain.begun = True
    log.info("stopping", requests=drain.working)
    await _first(asyncio.sleep(ending.delay), hurried.wait())
    drain.closed = True
    await _first(drain.empty(), asyncio.sleep(ending.grace), hurried.wait())
    if drain.working:
        log.warning("requests are cut off", requests=drain.working)
    await drain.end(_LAST_WORDS)


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait((task,))


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of them does; the others are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def _most_connections() -> int:
    """Three quarters of the files we may open: the rest is for the database, upstreams and disk."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY if files == resource.RLIM_INFINITY else min(_MANY, files * 3 // 4)


def _server(app: ASGIApp, plane: ASGIApp) -> Server:
    return Server(
        uvicorn.Config(
            app,
            http=partial(WatchedHttp, plane=plane),  # type: ignore[arg-type]
            ws=WatchedWebSocket,
            ws_max_size=_LARGEST_FRAME,
            # A thousand who watch would each have the same event compressed for themselves.
            ws_per_message_deflate=False,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            limit_concurrency=_most_connections(),
        )
    )
