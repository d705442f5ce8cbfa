"""The address guard: every connection to the outside goes to an address it returned."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import lru_cache
from ipaddress import ip_address

from gateway.egress.errors import ConnectFailed, ForbiddenAddress
from gateway.egress.networks import is_public
from gateway.egress.target import Target, parse

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""A host's name and port to all its addresses; raises `OSError` when it has none."""

CACHED_URLS = 4096


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of `host`, in the system's order of preference."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for _, _, _, _, sockaddr in found]


class AddressGuard:
    """`private_hosts` (host:port) may be private and speak plain HTTP if a request allows it."""

    def __init__(self, private_hosts: Collection[str] = (), resolve: Resolve = resolve) -> None:
        self._private_hosts = frozenset(_listed(entry) for entry in private_hosts)
        self._resolve = resolve
        self._checked = lru_cache(maxsize=CACHED_URLS)(self._check)

    def check(self, url: str, *, private_allowed: bool) -> Target:
        """Everything that can be said of `url` without asking DNS; raises `ForbiddenAddress`."""
        return self._checked(url, private_allowed)

    def _check(self, url: str, private_allowed: bool) -> Target:
        target = parse(url)
        if self._exempt(target, private_allowed):
            return target
        if not target.tls:
            raise ForbiddenAddress(f"`{target.authority}` must be reached by https.")
        if target.address is not None and not is_public(target.address):
            raise _not_public(target)
        return target

    async def addresses(self, target: Target, *, private_allowed: bool) -> Sequence[str]:
        """Literal addresses to connect to, best first: looked up once, refused if any is forbidden.

        Raises `ForbiddenAddress`, or `ConnectFailed` when the name has no address.
        """
        found = [str(target.address)] if target.address is not None else await self._look_up(target)
        if not self._exempt(target, private_allowed) and not all(map(_is_public, found)):
            raise _not_public(target)
        return found

    async def _look_up(self, target: Target) -> Sequence[str]:
        try:
            found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise ConnectFailed(f"`{target.host}` has no address.")
        return found

    def _exempt(self, target: Target, private_allowed: bool) -> bool:
        return private_allowed and target.authority in self._private_hosts


def _listed(entry: str) -> str:
    """An allow-list entry as `Target.authority` writes it; raises `ValueError` otherwise."""
    try:
        target = parse(f"http://{entry.strip()}")
    except ForbiddenAddress as error:
        raise ValueError(f"`{entry}` is not host:port. {error}") from None
    if not entry.strip().endswith(f":{target.port}") or target.path != "/":
        raise ValueError(f"`{entry}` is not host:port.")
    return target.authority


def _is_public(address: str) -> bool:
    try:
        return is_public(ip_address(address))
    except ValueError:
        return False


def _not_public(target: Target) -> ForbiddenAddress:
    return ForbiddenAddress(f"`{target.authority}` is not a public address.")
