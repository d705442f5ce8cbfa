"""Reads the one credential a request carries, whichever header it came in."""

import re
from collections.abc import Mapping

import msgspec

from auth.session import COOKIE, HOST_COOKIE
from domain.errors import MalformedRequest, Unauthenticated

_BEARER = re.compile(r"[Bb]earer ([^\s,]+)")
"""What nearly every application sends, and nothing else."""
_COOKIE = re.compile(rf"(?:^|;)[ \t]*({HOST_COOKIE}|{COOKIE})=([^;]*)")
"""Nothing else separates: a neighbour's page may write anything into the value of a cookie."""


class Presented(msgspec.Struct, frozen=True):
    """Exactly one of the two: an API key's text, or a browser session's token."""

    api_key: str | None = None
    session: str | None = None


def presented(headers: Mapping[str, str]) -> Presented | None:
    """The credential in `headers` (lower-case names); None when there is none.

    A header that came twice holds both values, with a comma between. Raises MalformedRequest for
    two different credentials: which of them counts must not be a guess.
    """
    bearer = headers.get("authorization")
    if bearer is not None and "x-api-key" not in headers and "cookie" not in headers:
        plain = _BEARER.fullmatch(bearer)
        if plain is not None:
            return Presented(plain[1])
    keys, tokens = everything_in(headers)
    if len(keys) + len(tokens) > 1:
        raise MalformedRequest("Two different credentials were sent; send one.")
    if keys:
        return Presented(api_key=keys.pop())
    return Presented(session=tokens.pop()) if tokens else None


def everything_in(headers: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """The different keys in `headers`, and the different sessions."""
    keys = {*_bearers(headers.get("authorization")), *_parts(headers.get("x-api-key", ""))}
    return keys, _sessions(headers)


def _sessions(headers: Mapping[str, str]) -> set[str]:
    """Pages over TLS have the cookie of this host alone, others the other; unsaid, the first wins.

    A page over plain HTTP, which anybody on the way may write, has nothing of those over TLS.
    """
    found: dict[str, set[str]] = {COOKIE: set(), HOST_COOKIE: set()}
    for name, value in _COOKIE.findall(headers.get("cookie", "")):
        if token := value.strip(" \t"):
            found[name].add(token)
    if is_secure(headers):
        return found[HOST_COOKIE]
    is_plain = headers.get("origin", "").lower().startswith("http://")
    return found[COOKIE] if is_plain else found[HOST_COOKIE] or found[COOKIE]


def is_secure(headers: Mapping[str, str]) -> bool:
    """Whether a page over TLS asks: as it says itself, else any proxy.

    Nobody gains by a wrong word: it takes a cookie away, and gives none.
    """
    scheme = headers.get("origin", "").lower().partition("://")[0]
    if scheme in ("http", "https"):
        return scheme == "https"
    return headers.get("x-forwarded-proto", "").lower().startswith("https")


def _parts(header: str) -> list[str]:
    return [part.strip() for part in header.split(",") if part.strip()]


def _bearers(header: str | None) -> list[str]:
    if header is None:
        return []
    found = [part.partition(" ") for part in _parts(header)]
    if not found or any(scheme.lower() != "bearer" or not key for scheme, _, key in found):
        raise Unauthenticated("Send `Authorization: Bearer` with an API key.")
    return [key.strip() for _, _, key in found]
