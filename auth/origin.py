"""Whether a browser's page may act through us."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from auth.credential import presented
from domain.errors import Forbidden

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origins:
    """Our own address, and the origins that the operator lists."""

    def __init__(self, allowed: frozenset[str] = frozenset()) -> None:
        self._allowed = frozenset(each.rstrip("/").lower() for each in allowed)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise Forbidden for a page of another origin, and for a cookie nobody vouches for.

        A browser sends the cookie unasked, so only what says that our own page asked may use it.
        """
        origin = headers.get("origin")
        if origin is not None:
            if not self._is_ours(origin.lower(), headers.get("host", "").lower()):
                raise Forbidden("Pages of this origin may not do this.")
            return
        credential = presented(headers)
        by_cookie = credential is not None and credential.session is not None
        if by_cookie and headers.get("sec-fetch-site") != "same-origin":
            raise Forbidden("With a session cookie, send the Origin header.")

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin in self._allowed:
            return True
        try:
            page = urlsplit(origin)
            ours = urlsplit(f"{page.scheme}://{host}")
            # A proxy that ends TLS for us changes the scheme but neither host nor port.
            same = (page.hostname, _port(page.scheme, page.port)) == (
                ours.hostname,
                _port(ours.scheme, ours.port),
            )
        except ValueError:
            return False
        return same and page.scheme in _DEFAULT_PORTS and bool(page.hostname)


def _port(scheme: str, port: int | None) -> int | None:
    return _DEFAULT_PORTS.get(scheme) if port is None else port
