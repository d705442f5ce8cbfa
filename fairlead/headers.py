"""Reads an ASGI scope's headers."""

from starlette.types import Scope

from domain.errors import MalformedRequest

_SINGLE = frozenset({"authorization", "content-type", "host", "origin", "x-api-key"})


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name. Raises MalformedRequest when one that decides comes twice."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in found:
            if name in _SINGLE:
                raise MalformedRequest(f"The header `{name}` was sent twice.")
            value = f"{found[name]}{'; ' if name == 'cookie' else ', '}{value}"
        found[name] = value
    return found
