"""`fairlead serve`: database, migrations, first start, then requests until a signal."""

import gc
import socket
from typing import Annotated

import typer
from rich.panel import Panel

from domain.secret import Secret
from fairlead.app import create_app
from fairlead.commands.preparing import Preparation
from fairlead.commands.running import (
    console,
    fail,
    run,
    settings_from_environment,
)
from fairlead.foundation import Foundation, laid
from fairlead.runtime import running
from fairlead.server import Ending
from fairlead.server import serve as serve_until_told
from fairlead.settings import Settings

_BACKLOG = 2048


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PORT.")] = None,
) -> None:
    """Serve GraphQL, the OpenAI-compatible API and the web app."""
    settings = settings_from_environment(HOST=host, PORT=port)
    run(_serve(settings))


async def _serve(settings: Settings) -> None:
    listener = _bind(settings)
    status = console.status("Opening the database")
    status.start()
    async with laid(settings, patient=True) as foundation:
        status.update("Bringing the database up to date")
        preparation = Preparation(foundation)
        key = await preparation.start()
        try:
            async with running(foundation) as runtime:
                status.stop()
                port = listener.getsockname()[1]
                console.print(_welcome(foundation, port, key, away=preparation.waits))
                settle_memory()
                app = create_app(runtime)
                ending = Ending(settings.shutdown_delay, settings.shutdown_grace)
                await serve_until_told(app, runtime.data_plane, listener, runtime.drain, ending)
        finally:
            await preparation.stop()


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        fail(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror})."
            " Choose another with --port or PORT."
        )
    return listener


def _welcome(foundation: Foundation, port: int, key: Secret | None, *, away: bool) -> Panel:
    settings = foundation.settings
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{'127.0.0.1' if shown in ('0.0.0.0', '[::]') else shown}:{port}"
    lines = [
        f"Web app    {url}/",
        f"GraphiQL   {url}/graphql",
        f"OpenAI API {url}/v1",
        "",
    ]
    if key is not None:
        lines += ["Administrator key, shown only this once:", "", f"  [bold]{key.reveal()}[/]"]
    elif away:
        lines += ["The database is away. Callers seen in the last 15 minutes are served from"]
        lines += ["the configuration on disk, all others once it is back."]
    else:
        lines += ["Sign in with your key; `fairlead keys create --admin` makes another."]
    if foundation.key_made:
        lines += ["", f"A master key was made: keep a copy of {settings.key_file}."]
    if settings.database_url is not None and settings.encryption_key is None:
        lines += ["", "Replicas need the same master key: set ENCRYPTION_KEY for all of them."]
    return Panel("\n".join(lines), title="Fairlead", expand=False, padding=(1, 2))


def settle_memory() -> None:
    """What exists now lives for ever: do not look through it at every collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
