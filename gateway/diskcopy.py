"""The encrypted copy of the configuration on disk, for a start without the database."""

import os
import uuid
from pathlib import Path

import msgspec
import structlog

from domain.configuration import Essence, build, essence_of
from domain.ports import Cipher, Place, Sealed
from domain.secret import Secret
from domain.snapshot import Snapshot

USABLE_SECONDS = 24 * 3600.0
"""Routes may be this old; an older copy is not used."""

_PLACE = Place("snapshot", "essence", uuid.UUID(int=0), 1, "disk")

log = structlog.get_logger(__name__)


class _File(msgspec.Struct, frozen=True):
    master_key_id: str
    ciphertext: bytes


class DiskCopy:
    """One file, replaced as a whole; it names hosts and holds sealed keys, so it is sealed too."""

    def __init__(self, path: Path, cipher: Cipher) -> None:
        self._path = path
        self._cipher = cipher

    def load(self, now: float) -> Snapshot | None:
        """The snapshot, its `loaded_at` being when it was last known to be current (Unix seconds).

        None when there is no copy, when it is too old, or when it cannot be read.
        """
        try:
            file = msgspec.msgpack.decode(self._path.read_bytes(), type=_File)
            secret = self._cipher.open(Sealed(file.ciphertext, file.master_key_id), _PLACE)
            essence = msgspec.json.decode(secret.reveal(), type=Essence)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("configuration copy is unusable", error=type(error).__name__)
            return None
        if now - essence.loaded_at > USABLE_SECONDS:
            log.warning("configuration copy is too old", loaded_at=essence.loaded_at)
            return None
        return build(essence)

    def save(self, snapshot: Snapshot, confirmed_at: float) -> None:
        """Raises `OSError` when it cannot be written; the former copy then stays."""
        text = msgspec.json.encode(essence_of(snapshot, confirmed_at)).decode()
        sealed = self._cipher.seal(Secret(text), _PLACE)
        content = msgspec.msgpack.encode(_File(sealed.master_key_id, sealed.ciphertext))
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fdatasync(file.fileno())
        draft.replace(self._path)
