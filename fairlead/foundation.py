"""What every command stands on: the master key and the database, ours or the operator's."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auth.secrets import SecretBox, generate_master_key, parse_master_keys
from db.embedded import EmbeddedPostgres
from db.session import Database, create_engine
from domain.secret import Secret
from fairlead.settings import Settings


@dataclass(frozen=True)
class Foundation:
    """`key_made`: this start generated the master key."""

    settings: Settings
    database: Database
    cipher: SecretBox
    key_made: bool


@asynccontextmanager
async def laid(settings: Settings) -> AsyncIterator[Foundation]:
    """The foundation for the length of the block; the embedded server ends with its last user."""
    settings.data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    cipher, made = master_keys(settings)
    embedded = None
    if settings.database_url is None:
        folder = settings.data_dir / "postgresql"
        embedded = EmbeddedPostgres(folder, binaries=settings.pg_bin)
        url = await embedded.start()
    else:
        url = settings.database_url.get_secret_value()
    engine = create_engine(url)
    try:
        yield Foundation(settings, Database(engine), cipher, made)
    finally:
        await engine.dispose()
        if embedded is not None:
            await embedded.stop()


def master_keys(settings: Settings) -> tuple[SecretBox, bool]:
    """Those of ENCRYPTION_KEY, else of the key file, which the first start makes (0600)."""
    if settings.encryption_key is not None:
        text = Secret(settings.encryption_key.get_secret_value())
        return SecretBox(parse_master_keys(text)), False
    made = False
    try:
        handle = os.open(settings.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(generate_master_key().reveal())
        made = True
    text = Secret(settings.key_file.read_text().strip())
    return SecretBox(parse_master_keys(text)), made
