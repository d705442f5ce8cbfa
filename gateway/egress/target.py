"""Reading a URL strictly: anything two parsers could read differently is refused."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from gateway.egress.errors import ForbiddenAddress

MAX_URL = 4096
MAX_HOST = 253
_URL = re.compile(r"(https?)://([^/?#\\]+)(/[^?#\\]*)?(\?[^#\\]*)?", re.IGNORECASE)
_VISIBLE = re.compile(r"[!-~]+")
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?")
_LABEL = r"[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL points. `host` is lower-case, without brackets; `address` when it is a literal.

    `path` is the request target: path and query, at least "/".
    """

    tls: bool
    host: str
    port: int
    path: str
    address: IPv4Address | IPv6Address | None
    host_header: str = field(init=False)

    def __post_init__(self) -> None:
        default = _DEFAULT_PORTS["https" if self.tls else "http"]
        shown = self._bracketed if self.port == default else self.authority
        object.__setattr__(self, "host_header", shown)

    @property
    def authority(self) -> str:
        """`host:port`, as the operator's allow-list writes it."""
        return f"{self._bracketed}:{self.port}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse(url: str) -> Target:
    """Raises `ForbiddenAddress` for userinfo, fragments, non-ASCII, odd hosts and odd ports."""
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url):
        raise ForbiddenAddress("The URL is too long or has characters that must be encoded.")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ForbiddenAddress("The URL is not of the form https://host/path.")
    scheme, authority, path, query = parts.groups()
    place = _AUTHORITY.fullmatch(authority)
    if place is None:
        raise ForbiddenAddress("The URL must name a host and, at most, a port.")
    port = int(place[2] or _DEFAULT_PORTS[scheme.lower()])
    if not 0 < port < 65536:
        raise ForbiddenAddress("The URL's port is not between 1 and 65535.")
    host, address = _host(place[1].lower())
    return Target(scheme.lower() == "https", host, port, (path or "/") + (query or ""), address)


def _host(host: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    try:
        if host.startswith("["):
            literal = IPv6Address(host[1:-1])
            return literal.compressed, literal
        if _NUMBER.fullmatch(host):
            # The resolver would read 2130706433, 0x7f.1 and 0177.1 as 127.0.0.1.
            return host, IPv4Address(host)
    except ValueError:
        raise ForbiddenAddress("The URL's host is not an address in its usual form.") from None
    if len(host) > MAX_HOST or not _NAME.fullmatch(host):
        raise ForbiddenAddress("The URL's host is not a name we can look up.")
    return host, None
