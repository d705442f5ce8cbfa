"""A text on disk that only our master keys open; replaced as a whole, never seen half written."""

import os
from pathlib import Path

import msgspec

from domain.ports import Cipher, Place, Sealed
from domain.secret import Secret


class _File(msgspec.Struct, frozen=True):
    master_key_id: str
    ciphertext: bytes


class SealedFile:
    """`place` is where it belongs: sealed for another it does not open."""

    def __init__(self, path: Path, cipher: Cipher, place: Place) -> None:
        self._path = path
        self._cipher = cipher
        self._place = place

    def read(self) -> str:
        """Raises `OSError` (`FileNotFoundError` when there is none) and `ValueError`."""
        file = msgspec.msgpack.decode(self._path.read_bytes(), type=_File)
        sealed = Sealed(file.ciphertext, file.master_key_id)
        return self._cipher.open(sealed, self._place).reveal()

    def write(self, text: str) -> None:
        """Raises `OSError` when it cannot be written; the former file then stays."""
        sealed = self._cipher.seal(Secret(text), self._place)
        content = msgspec.msgpack.encode(_File(sealed.master_key_id, sealed.ciphertext))
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fdatasync(file.fileno())
        draft.replace(self._path)
