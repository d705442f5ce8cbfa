"""Reads the one credential a request carries, whichever header it came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from auth.session import COOKIE
from domain.errors import MalformedRequest, Unauthenticated


@dataclass(frozen=True, slots=True)
class Presented:
    """Exactly one of the two: an API key's text, or a browser session's token."""

    api_key: str | None = None
    session: str | None = None


def presented(headers: Mapping[str, str]) -> Presented | None:
    """The credential in `headers` (lower-case names); None when there is none.

    Raises MalformedRequest for two different ones: which of them counts must not be a guess.
    """
    keys = {key for key in (_bearer(headers), headers.get("x-api-key")) if key}
    token = _cookie(headers.get("cookie", ""))
    if len(keys) + (token is not None) > 1:
        raise MalformedRequest("Two different credentials were sent; send one.")
    if keys:
        return Presented(api_key=keys.pop())
    return None if token is None else Presented(session=token)


def _bearer(headers: Mapping[str, str]) -> str | None:
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise Unauthenticated("Send `Authorization: Bearer` with an API key.")
    return value.strip()


def _cookie(header: str) -> str | None:
    if COOKIE not in header:
        return None
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return (found.value or None) if found else None
