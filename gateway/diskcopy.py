"""The encrypted copy of the configuration on disk, for a start without the database."""

import uuid
from pathlib import Path

import msgspec
import structlog

from auth.sealedfile import SealedFile
from domain.configuration import Essence, build, essence_of
from domain.ports import Cipher, Place
from domain.snapshot import Snapshot

USABLE_SECONDS = 24 * 3600.0
"""Routes may be this old; an older copy is not used."""

_PLACE = Place("snapshot", "essence", uuid.UUID(int=0), 1, "disk")

log = structlog.get_logger(__name__)


class DiskCopy:
    """One file, replaced as a whole; it names hosts and holds sealed keys, so it is sealed too."""

    def __init__(self, path: Path, cipher: Cipher) -> None:
        self._file = SealedFile(path, cipher, _PLACE)

    def load(self, now: float) -> Snapshot | None:
        """The snapshot, its `loaded_at` being when it was last known to be current (Unix seconds).

        None when there is no copy, when it is too old, or when it cannot be read.
        """
        try:
            essence = msgspec.json.decode(self._file.read(), type=Essence)
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
        self._file.write(msgspec.json.encode(essence_of(snapshot, confirmed_at)).decode())
