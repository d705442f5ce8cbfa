"""A browser's session: a sealed token that names an API key and ends soon.

It holds no right of its own: each use looks the key up again, so revoking the key ends it, and
rotating it when the text it was opened with ends. Signing out ends it for whoever has a copy.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass

import msgspec

from auth.ended import end_id
from domain.ports import Cipher, Place, Sealed
from domain.secret import Secret

COOKIE = "fairlead_session"
"""Over plain HTTP."""
HOST_COOKIE = f"__Host-{COOKIE}"
"""Over TLS: browsers take it from this host alone, so no neighbour's page can plant one."""
LIFETIME = 12 * 3600.0
"""Seconds."""

_PLACE = Place("sessions", "token", uuid.UUID(int=0), 1, "")


class _Token(msgspec.Struct, array_like=True):
    public_id: str
    expires_at: float
    stamp: str
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """`expires_at` in Unix seconds; `stamp` is of the key's stored hash."""

    id: uuid.UUID
    public_id: str
    expires_at: float
    stamp: str


def stamp_of(hash: bytes) -> str:
    """Which text of a key a session was opened with; tells nothing of either."""
    return hashlib.sha256(b"session" + hash).hexdigest()[:16]


def seal_session(cipher: Cipher, public_id: str, hash: bytes, now: float) -> tuple[str, float]:
    """A token for the cookie, and when it ends (Unix seconds)."""
    expires_at = now + LIFETIME
    found = _Token(public_id, expires_at, stamp_of(hash), secrets.token_urlsafe(12))
    sealed = cipher.seal(Secret(msgspec.json.encode(found).decode()), _PLACE)
    # A cookie's value with a sign of equality would be quoted, and quotes are not ours to send.
    return f"{sealed.master_key_id}.{sealed.ciphertext.decode().rstrip('=')}", expires_at


def open_session_token(cipher: Cipher, token: str, now: float) -> BrowserSession | None:
    """What a cookie says; None when it is not ours or has ended."""
    master_key_id, _, text = token.partition(".")
    ciphertext = (text + "=" * (-len(text) % 4)).encode()
    try:
        plain = cipher.open(Sealed(ciphertext, master_key_id), _PLACE)
        found = msgspec.json.decode(plain.reveal(), type=_Token)
    except (ValueError, msgspec.DecodeError):
        return None
    if found.expires_at <= now:
        return None
    return BrowserSession(end_id(plain.reveal()), found.public_id, found.expires_at, found.stamp)
