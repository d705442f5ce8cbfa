"""Slows down whoever tries API keys: a budget of wrong ones for each network address."""

import hashlib
import time
from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, ip_address

from domain.bucket import Buckets, Rate
from domain.errors import LimitExceeded

RATE = Rate(capacity=10, per_second=1 / 6)
"""Wrong keys from one address: ten at once, ten a minute."""


class Guesses:
    """One for all doors of a process; asked only about keys that are not known by heart.

    A wrong key that is sent again is no new guess and is counted by itself, so that one forgotten
    client keeps nobody else behind its address out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_address = Buckets(RATE, clock=clock)
        self._again = Buckets(RATE, clock=clock)

    def check(self, address: str, text: str) -> None:
        """Raises LimitExceeded when too many wrong keys came from `address` to look at this one."""
        buckets, payer = self._payer(address, text)
        level = buckets.level(payer)
        if level < 1:
            wait = (1 - level) / RATE.per_second
            raise LimitExceeded("Too many wrong API keys from this address.", retry_after=wait)

    def wrong(self, address: str, text: str) -> None:
        """`text` from `address` was no key of ours."""
        buckets, payer = self._payer(address, text)
        # Several that were looked at in the same moment may be more than there was room for.
        buckets.charge(payer, 1)
        if buckets is self._by_address:
            self._again.charge((payer, _digest(text)), 1)

    def _payer(self, address: str, text: str) -> tuple[Buckets, Hashable]:
        network = _network(address)
        again = (network, _digest(text))
        if self._again.has(again):
            return self._again, again
        return self._by_address, network


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _network(address: str) -> str:
    """Of IPv6 the first 64 bits: whoever has one address there has all of them."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{int(found) >> 64:x}::/64"
