"""TLS: the literal address is connected to, the name in the URL is what must be certified."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509

from gateway.egress.client import HttpClient, Outbound
from gateway.egress.errors import ConnectFailed, ConnectionLost, ForbiddenAddress
from gateway.egress.guard import AddressGuard
from tests.gateway.egress.authority import Authority
from tests.gateway.egress.scripted import HANG_UP, Scripted

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
NAME = "llm.example"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def _here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def _ask(server: Scripted, name: str = NAME) -> tuple[AddressGuard, Outbound]:
    place = f"{name}:{server.port}"
    request = Outbound("GET", f"https://{place}/v1", private_allowed=True)
    return AddressGuard([place], resolve=_here), request


async def test_a_certified_name_is_spoken_to_and_its_connection_kept(authority: Authority) -> None:
    async with Scripted([WHOLE], [WHOLE], tls=authority.server(x509.DNSName(NAME))) as server:
        guard, request = _ask(server)
        http = HttpClient(guard, tls=authority.roots)
        for _ in range(2):
            assert await (await http.send(request)).read(10) == b"hi"
        assert server.connections == 1
        assert f"host: {NAME}:{server.port}".encode() in server.requests[0]
        await http.close()


async def test_a_kept_private_connection_is_not_lent_to_who_may_not_have_made_it(
    authority: Authority,
) -> None:
    async with Scripted([WHOLE], [WHOLE], tls=authority.server(x509.DNSName(NAME))) as server:
        guard, request = _ask(server)
        http = HttpClient(guard, tls=authority.roots)
        await (await http.send(request)).read(10)
        request.private_allowed = False
        with pytest.raises(ForbiddenAddress):
            await http.send(request)
        assert (len(server.requests), http.connections) == (1, 1)
        await http.close()


async def test_an_address_is_certified_as_an_address(authority: Authority) -> None:
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    async with Scripted([WHOLE], tls=authority.server(address)) as server:
        guard, request = _ask(server, "127.0.0.1")
        http = HttpClient(guard, tls=authority.roots)
        assert await (await http.send(request)).read(10) == b"hi"
        await http.close()


@pytest.mark.parametrize("wrong", ["other name", "address", "unknown authority", "expired"])
async def test_what_is_not_certified_is_sent_nothing(
    authority: Authority, wrong: str, tmp_path: Path
) -> None:
    names: dict[str, x509.GeneralName] = {
        "other name": x509.DNSName("other.example"),
        "address": x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    }
    issuer = Authority(tmp_path) if wrong == "unknown authority" else authority
    tls = issuer.server(names.get(wrong, x509.DNSName(NAME)), expired=wrong == "expired")
    async with Scripted([WHOLE], tls=tls) as server:
        guard, request = _ask(server)
        http = HttpClient(guard, tls=authority.roots)
        with pytest.raises(ConnectFailed, match="has no valid certificate"):
            await http.send(request)
        assert (server.requests, http.connections) == ([], 0)


async def test_a_server_without_tls_is_sent_nothing(authority: Authority) -> None:
    async with Scripted([WHOLE]) as server:
        guard, request = _ask(server)
        request.connect_timeout = 0.3
        with pytest.raises(ConnectFailed):
            await HttpClient(guard, tls=authority.roots).send(request)
        assert server.requests == []


async def test_a_body_cut_under_tls_is_lost(authority: Authority) -> None:
    script = [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", HANG_UP]
    async with Scripted(script, tls=authority.server(x509.DNSName(NAME))) as server:
        guard, request = _ask(server)
        inbound = await HttpClient(guard, tls=authority.roots).send(request)
        with pytest.raises(ConnectionLost):
            await inbound.read(10)
