"""Reads the one credential a request carries, whichever header it came in."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from auth.session import COOKIE
from domain.errors import MalformedRequest, Unauthenticated

_BEARER = re.compile(r"[Bb]earer ([^\s,]+)")
"""What nearly every application sends, and nothing else."""
_SESSION = re.compile(rf"(?:^|[;,])\s*{COOKIE}=([^;,\s]*)")


class Presented(NamedTuple):
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
            return Presented(api_key=plain[1])
    keys = {*_bearers(bearer), *_parts(headers.get("x-api-key", ""))}
    tokens = {token for token in _SESSION.findall(headers.get("cookie", "")) if token}
    if len(keys) + len(tokens) > 1:
        raise MalformedRequest("Two different credentials were sent; send one.")
    if keys:
        return Presented(api_key=keys.pop())
    return Presented(session=tokens.pop()) if tokens else None


def _parts(header: str) -> list[str]:
    return [part.strip() for part in header.split(",") if part.strip()]


def _bearers(header: str | None) -> list[str]:
    if header is None:
        return []
    found = [part.partition(" ") for part in _parts(header)]
    if not found or any(scheme.lower() != "bearer" or not key for scheme, _, key in found):
        raise Unauthenticated("Send `Authorization: Bearer` with an API key.")
    return [key.strip() for _, _, key in found]
