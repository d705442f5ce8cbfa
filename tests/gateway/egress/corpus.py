"""Forbidden addresses, written in every way that some parser or resolver takes for them."""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

FORBIDDEN_V4 = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "169.254.170.2",
    "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.7", "192.31.196.1", "192.52.193.1",
    "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.9", "203.0.113.5", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255",
)  # fmt: skip
FORBIDDEN_V6 = (
    "::", "::1", "::2", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2620:4f:8000::1", "3ffe::1", "3fff::1",
    "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::a9fe:1",
    "fec0::1", "ff02::1", "ff0e::1",
)  # fmt: skip
PRIVATE_NAMES = (
    "localhost", "LocalHost", "localhost.localdomain", "a.localhost", "127.0.0.1.nip.example",
    "metadata.google.internal", "rebind.example", "xn--bcher-kva.example",
)  # fmt: skip
"""A test's resolver has them lead to this machine."""
_DOTS = ("\u3002", "\uff0e", "\uff61")


def spellings(address: str) -> Iterator[str]:
    """Hosts that are, or that something takes for, an IPv4 address."""
    value = int(IPv4Address(address))
    a, b, c, d = (int(part) for part in address.split("."))
    six_to_four = IPv6Address((0x2002 << 112) | (value << 80))
    yield from (address, f"{address}.", str(value), f"{value}.", hex(value), hex(value).upper())
    yield from (f"0{value:o}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}")
    yield from (f"{a}.{value & 0xFFFFFF}", f"{a}.{b}.{value & 0xFFFF}", f"{a:#x}.{b}.{c}.{d}")
    yield from (f"{a:03d}.{b:03d}.{c:03d}.{d:03d}", f"[::ffff:{address}]", f"[::FFFF:{address}]")
    yield from (f"[::{address}]", f"[64:ff9b::{address}]", f"[64:ff9b:1::{address}]")
    yield from (f"[::ffff:0:{address}]", f"[{six_to_four}]")
    yield from (address.replace(".", dot) for dot in _DOTS)
    yield from (quote(address).replace(".", "%2e"), "".join(f"%{ord(one):02x}" for one in address))
    yield "".join(chr(0xFF10 + int(one)) if one.isdigit() else one for one in address)


def forms(host: str, port: int) -> Iterator[str]:
    """URLs with the host in places where one parser or another looks for it."""
    yield from (f"https://{host}:{port}/v1", f"https://{host}/v1", f"HTTPS://{host}:{port}")
    yield from (f"http://{host}:{port}/v1", f"https://api.example.com@{host}:{port}/v1")
    yield from (f"https://{host}:{port}#@api.example.com/", f"https://a.example\\@{host}:{port}/v1")


@lru_cache(maxsize=4)
def urls(port: int) -> tuple[str, ...]:
    """All of them, each once."""
    hosts = [host for address in FORBIDDEN_V4 for host in spellings(address)]
    hosts += [f"[{address}]" for address in FORBIDDEN_V6]
    hosts += [f"[{IPv6Address(address).exploded}]" for address in FORBIDDEN_V6]
    hosts += PRIVATE_NAMES
    return tuple(dict.fromkeys(url for host in hosts for url in forms(host, port)))
