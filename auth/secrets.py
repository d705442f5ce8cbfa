"""Sealing: a ciphertext opens only in its own row, at its own version, for its own destination.

The key of a record is HKDF-SHA256 of a master key with the record's place as context, so a Fernet
token that is moved to another row, or read for another address, does not open.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.ports import Place, Sealed
from domain.secret import Secret

_KEY_BYTES = 32


class BadMasterKeyError(ValueError):
    """An `ENCRYPTION_KEY` entry is not 32 random bytes in URL-safe base64."""


def generate_master_key() -> Secret:
    """A random 256-bit master key in URL-safe base64."""
    return Secret(base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode())


def parse_master_keys(text: Secret) -> list[Secret]:
    """The entries of a comma-separated list. Raises BadMasterKeyError."""
    keys = [Secret(part.strip()) for part in text.reveal().split(",") if part.strip()]
    if not keys:
        raise BadMasterKeyError("ENCRYPTION_KEY is empty.")
    for key in keys:
        _decoded(key)
    return keys


def _decoded(key: Secret) -> bytes:
    try:
        found = base64.b64decode(key.reveal(), altchars=b"-_", validate=True)
    except ValueError:
        found = b""
    if len(found) != _KEY_BYTES:
        raise BadMasterKeyError(
            "An ENCRYPTION_KEY entry is not 32 bytes in URL-safe base64;"
            " `fairlead keys generate` makes one."
        )
    return found


def _context(place: Place) -> bytes:
    """The place, each part led by its length, so that no two places read alike."""
    parts = (place.table, place.column, str(place.row), str(place.version), place.destination)
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _derive(master: bytes, context: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=context).derive(master)


def _refuse_loose(token: bytes) -> None:
    """Raises ValueError for base64 with spare bits set, which Fernet would read as if unchanged."""
    if base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)) != token:
        raise ValueError("Not the canonical base64.")


class SecretBox:
    """Implements `domain.ports.Cipher` with one or more master keys: the first seals, all open."""

    def __init__(self, master_keys: Sequence[Secret]) -> None:
        decoded = [_decoded(key) for key in master_keys]
        self._masters = {hashlib.sha256(b"id" + key).hexdigest()[:16]: key for key in decoded}
        self._first = next(iter(self._masters))
        self._prints = [_derive(key, b"fingerprint") for key in decoded]

    @property
    def master_key_ids(self) -> tuple[str, ...]:
        """Ids of the keys that open; the first one seals."""
        return tuple(self._masters)

    def seal(self, secret: Secret, place: Place) -> Sealed:
        token = self._fernet(self._first, place).encrypt(secret.reveal().encode())
        return Sealed(token, self._first)

    def open(self, sealed: Sealed, place: Place) -> Secret:
        """Raises ValueError when it was sealed elsewhere, changed, or under a key we lack."""
        if sealed.master_key_id not in self._masters:
            raise ValueError("This was sealed under a master key that ENCRYPTION_KEY lacks.")
        try:
            _refuse_loose(sealed.ciphertext)
            plain = self._fernet(sealed.master_key_id, place).decrypt(sealed.ciphertext)
        except (InvalidToken, ValueError):
            raise ValueError("This ciphertext does not belong here.") from None
        return Secret(plain.decode())

    def fingerprint(self, secret: Secret) -> str:
        """Equal secrets have equal fingerprints under the first master key."""
        return self.fingerprints(secret)[0]

    def fingerprints(self, secret: Secret) -> list[str]:
        """Under each master key, in their order: what was compared before a rotation still is."""
        plain = secret.reveal().encode()
        return [hmac.digest(key, plain, "sha256").hex()[:16] for key in self._prints]

    def _fernet(self, key_id: str, place: Place) -> Fernet:
        derived = _derive(self._masters[key_id], _context(place))
        return Fernet(base64.urlsafe_b64encode(derived))
