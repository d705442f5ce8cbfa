"""The text of an API key: `fl_<id12>_<secret43><crc6>`, and its keyed hash.

The checksum catches a mistyped key before anything is looked up. The id finds the record; only
HMAC-SHA256(pepper, whole key) is stored, so the table gives nobody a key.
"""

import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass

from domain.secret import Secret

_ALPHABET = string.digits + string.ascii_letters
_KEY = re.compile(r"fl_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")
PREFIX = "fl_"
PEPPER_BYTES = 32


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key whose checksum holds; nothing is known yet of whether it exists."""

    public_id: str
    secret: Secret


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def generate(public_id: str | None = None) -> PresentedKey:
    """A new random key, with the id of the one whose place it takes."""
    public_id = public_id or _random(12)
    body = f"fl_{public_id}_{_random(43)}"
    return PresentedKey(public_id, Secret(body + _checksum(body)))


def parse(text: str) -> PresentedKey | None:
    """The key that `text` is, or None when its form or checksum is wrong."""
    found = _KEY.fullmatch(text)
    if found is None or _checksum(text[:-6]) != found[3]:
        return None
    return PresentedKey(found[1], Secret(text))


def hash_key(key: Secret, pepper: Secret) -> bytes:
    """What is stored of a key."""
    return hmac.digest(pepper.reveal().encode(), key.reveal().encode(), "sha256")


def matches(key: Secret, pepper: Secret, stored: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(hash_key(key, pepper), stored)
