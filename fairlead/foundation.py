"""What every command stands on: the master key and the database, ours or the operator's."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from auth.keyring import check_master_keys
from auth.secrets import SecretBox, generate_master_key, parse_master_keys
from db.binaries import PostgresMissingError
from db.embedded import EmbeddedError, EmbeddedPostgres
from db.migrate import migrate
from db.session import Database, create_engine
from domain.secret import Secret
from fairlead.settings import Settings
from gateway.diskcopy import DiskCopy

_PATIENCE = 15.0
"""Seconds for an embedded server to start before we go on without it."""

log = structlog.get_logger(__name__)


class FolderError(RuntimeError):
    """The data folder cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Foundation:
    """`key_made`: this start generated the master key."""

    settings: Settings
    database: Database
    cipher: SecretBox
    key_made: bool

    async def prepare(self) -> Database:
        """The newest schema, and a master key that opens what is there. Raises ValueError.

        Returns the database, usable whether or not ours counts as prepared yet.
        """
        await migrate(self.database.engine)
        database = Database(self.database.engine)
        async with database.read(None) as session:
            await check_master_keys(session, self.cipher)
        return database

    def has_copy(self) -> bool:
        """Whether there is a configuration on disk that may be served from."""
        return _has_copy(self.settings, self.cipher)


@asynccontextmanager
async def laid(settings: Settings, *, patient: bool = False) -> AsyncIterator[Foundation]:
    """The foundation for the length of the block; the embedded server ends with its last user.

    `patient`: an embedded server may also start later, where there is something to serve from.
    """
    try:
        settings.data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        cipher, made = master_keys(settings)
    except OSError as error:
        raise FolderError(
            f"{error.filename} cannot be used ({error.strerror}). Choose another FAIRLEAD_DATA_DIR."
        ) from error
    embedded = None
    if settings.database_url is None:
        folder = settings.data_dir / "postgresql"
        embedded = EmbeddedPostgres(folder, binaries=settings.pg_bin)
        serves_anyway = patient and _has_copy(settings, cipher)
        url = await (_started(embedded) if serves_anyway else embedded.start())
    else:
        url = settings.database_url.get_secret_value()
    engine = create_engine(url)
    try:
        yield Foundation(settings, Database(engine), cipher, made)
    finally:
        await engine.dispose()
        if embedded is not None:
            await embedded.stop()


def _has_copy(settings: Settings, cipher: SecretBox) -> bool:
    return DiskCopy(settings.snapshot_file, cipher).load(time.time()) is not None


async def _started(embedded: EmbeddedPostgres) -> str:
    """Where it is or will be. Raises what kept the first start ever from being one."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await embedded.start()
    except (EmbeddedError, PostgresMissingError, OSError) as error:
        url = embedded.start_later()
        if url is None:
            raise
        log.warning("the embedded database does not start", error=str(error))
        return url


def master_keys(settings: Settings) -> tuple[SecretBox, bool]:
    """Those of ENCRYPTION_KEY, else of the key file, which the first start makes (0600)."""
    if settings.encryption_key is not None:
        text = Secret(settings.encryption_key.get_secret_value())
        return SecretBox(parse_master_keys(text)), False
    made = not settings.key_file.exists() and _make_key_file(settings.key_file)
    text = Secret(settings.key_file.read_text().strip())
    return SecretBox(parse_master_keys(text)), made


def _make_key_file(path: Path) -> bool:
    """Write a new master key; False when another process was first. Never seen half written."""
    handle, fresh = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(generate_master_key().reveal())
            os.fsync(handle)
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(fresh)
    return True
