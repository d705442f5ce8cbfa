"""Runs a command's coroutine; what goes wrong at start becomes one line that says what to do."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from auth.keyring import WrongMasterKeyError
from auth.secrets import BadMasterKeyError
from db.binaries import PostgresMissingError
from db.embedded import EmbeddedError
from db.migrate import MigrationError
from db.session import database_is_away
from domain.errors import FairleadError
from fairlead import log
from fairlead.foundation import FolderError
from fairlead.secretfiles import SecretFileError
from fairlead.settings import Settings

T = TypeVar("T")

EXPECTED = (
    BadMasterKeyError,
    EmbeddedError,
    FolderError,
    MigrationError,
    PostgresMissingError,
    SecretFileError,
    WrongMasterKeyError,
)
"""What an operator can cause and mend; each carries the line to show."""

console = Console()
problems = Console(stderr=True)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1."""
    problems.print(f"[bold red]Fairlead cannot go on:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(1)


def settings_from_environment(**overrides: Any) -> Settings:
    """The settings, with a command's options over the environment's."""
    try:
        settings = Settings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        fail(f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}")
    except SecretFileError as error:
        fail(str(error))
    log.configure(settings.log_level)
    return settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """`work` on uvloop, its expected failures as one line."""
    os.umask(0o022)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_until_told(work))
    except EXPECTED as error:
        fail(str(error))
    except FairleadError as error:
        fail(error.message)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except asyncio.CancelledError:
        raise typer.Exit(143) from None
    except Exception as error:
        # An error of a socket names no file.
        if isinstance(error, OSError) and error.filename is not None:
            fail(f"{error.filename} cannot be used ({error.strerror}). Is it this user's to write?")
        if database_is_away(error):
            said = str(getattr(error, "orig", error)).split("\n", 1)[0].rpartition(": ")[2]
            fail(
                f"the database does not answer ({log.redact(said)})."
                " Is DATABASE_URL right, and the server up?"
            )
        raise


async def _until_told(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM cancels `work`, so that what it opened is closed, as SIGINT does already."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
