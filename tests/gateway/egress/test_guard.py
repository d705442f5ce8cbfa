"""No connection is opened to an address that is not public, however it is written."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.egress.client import HttpClient, Outbound
from gateway.egress.errors import ConnectFailed, ForbiddenAddress
from gateway.egress.guard import AddressGuard
from tests.gateway.egress.conftest import ROOTS
from tests.gateway.egress.corpus import FORBIDDEN_V4, FORBIDDEN_V6, PRIVATE_NAMES, urls

PUBLIC = ("1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.0.1.1", "2606:4700::1111")
ODD_URLS = (
    "", " ", "https://", "https:///v1", "//127.0.0.1/", "127.0.0.1", "ftp://1.1.1.1/",
    "file:///etc/passwd", "gopher://1.1.1.1/", "unix:/run/x.sock", "https:1.1.1.1",
    "https:/1.1.1.1/", "https://user@1.1.1.1/", "https://user:key@1.1.1.1/",
    "https://1.1.1.1@127.0.0.1/", "https://127.0.0.1#@1.1.1.1/", "https://1.1.1.1\\@127.0.0.1/",
    "https://1.1.1.1:0/", "https://1.1.1.1:65536/", "https://1.1.1.1:99999999/",
    "https://1.1.1.1:/", "https://1.1.1.1:+443/", "https://1.1.1.1:\uff1443/",
    "https://1.1.1.1:443:80/", "https://[::1/", "https://::1/", "https://[::1]x/",
    "https://[fe80::1%25eth0]/", "https://[::ffff:127.0.0.1]/", "https://[::127.0.0.1]/",
    "https://[v1.a]/", "https://local\thost/", "https://localhost\n/", "https://a b/",
    "https://\x00localhost/", "https://example.com/\r\nHost: x", "https://example.com/a b",
    "https://127。0。0。1/", "https://127\uff0e0\uff0e0\uff0e1/", "https://127｡0｡0｡1/", "https://①②⑦.⓪.⓪.①/",
    "https://ⓛocalhost/", "https://bücher.example/", "https://%31%32%37.0.0.1/",
    "https://127.0.0.1%00.example/", "https://example.com./", "https://.example.com/",
    "https://a..b/", "https://-a.example/", "https://a-.example/", "https://example.com#x",
    f"https://{'a' * 64}.example/", "https://" + "a." * 130 + "example/",
    "https://example.com/" + "a" * 5000, "https://1.1.1/", "https://1.1.1.1.1/",
    "https://256.1.1.1/", "https://1.1.1.01/", "https://0x1.1.1.1/", "https://example.0x/",
    "https://example.1/", "https://1.1.1.1 /", "https://*/", "https://$(id)/", "https://a,b/",
)  # fmt: skip


class Tripwire:
    """Stands at every place where this process opens a connection, and counts."""

    def __init__(self) -> None:
        self.crossed: list[object] = []

    async def create_connection(self, *args: object, **kwargs: object) -> None:
        self.crossed.append(args)
        raise OSError


@pytest.fixture
def tripwire(monkeypatch: pytest.MonkeyPatch) -> Tripwire:
    wire = Tripwire()
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", wire.create_connection)
    return wire


@pytest.fixture
async def listener() -> AsyncIterator[tuple[int, list[str]]]:
    """A port on every local address, and what connected to it."""
    heard: list[str] = []
    server = await asyncio.start_server(lambda reader, writer: heard.append("!"), None, 0)
    yield server.sockets[0].getsockname()[1], heard
    server.close()


async def _never_resolved(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host} was looked up")


def test_the_corpus_is_large_enough() -> None:
    assert len(urls(1)) >= 2_000


@pytest.mark.parametrize("private_allowed", [False, True])
async def test_no_spelling_of_a_forbidden_address_is_connected_to(
    listener: tuple[int, list[str]], tripwire: Tripwire, private_allowed: bool
) -> None:
    """Names lead to this machine; the operator's list names another port."""

    async def here(host: str, port: int) -> Sequence[str]:
        looked_up.add(host)
        return ["127.0.0.1", "::1"]

    port, heard = listener
    looked_up: set[str] = set()
    http = HttpClient(AddressGuard(["127.0.0.1:1"], resolve=here), tls=ROOTS)
    for url in urls(port):
        with pytest.raises(ForbiddenAddress):
            await http.send(Outbound("GET", url, private_allowed=private_allowed))
    assert looked_up == {name.lower() for name in PRIVATE_NAMES}
    assert (heard, tripwire.crossed, http.connections) == ([], [], 0)


@pytest.mark.parametrize("url", ODD_URLS)
async def test_a_url_that_could_be_read_two_ways_is_refused(url: str, tripwire: Tripwire) -> None:
    http = HttpClient(AddressGuard(resolve=_never_resolved), tls=ROOTS)
    with pytest.raises(ForbiddenAddress):
        await http.send(Outbound("GET", url))
    assert tripwire.crossed == []


@pytest.mark.parametrize("address", [*FORBIDDEN_V4, *FORBIDDEN_V6, "::ffff:10.0.0.1", "fe80::1%2"])
async def test_a_name_for_a_forbidden_address_is_refused(address: str, tripwire: Tripwire) -> None:
    async def resolved(host: str, port: int) -> Sequence[str]:
        return [address]

    http = HttpClient(AddressGuard(resolve=resolved), tls=ROOTS)
    with pytest.raises(ForbiddenAddress) as refused:
        await http.send(Outbound("GET", "https://api.example.com/v1"))
    assert address not in str(refused.value)
    assert tripwire.crossed == []


@pytest.mark.parametrize("forbidden", ["127.0.0.1", "::1", "169.254.169.254", "nonsense"])
@pytest.mark.parametrize("first", [True, False])
async def test_one_forbidden_answer_among_public_ones_is_enough(
    forbidden: str, first: bool, tripwire: Tripwire
) -> None:
    async def resolved(host: str, port: int) -> Sequence[str]:
        return [forbidden, *PUBLIC] if first else [*PUBLIC, forbidden]

    http = HttpClient(AddressGuard(resolve=resolved), tls=ROOTS)
    with pytest.raises(ForbiddenAddress):
        await http.send(Outbound("GET", "https://api.example.com/v1"))
    assert tripwire.crossed == []


async def test_a_name_is_looked_up_once_and_connected_to_by_address(tripwire: Tripwire) -> None:
    answers = iter((["1.1.1.1", "2606:4700::1111"], ["127.0.0.1"]))

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    http = HttpClient(AddressGuard(resolve=rebinding), tls=ROOTS)
    with pytest.raises(ConnectFailed):
        await http.send(Outbound("GET", "https://api.example.com/v1"))
    assert [args[1:] for args in tripwire.crossed if isinstance(args, tuple)] == [
        ("1.1.1.1", 443),
        ("2606:4700::1111", 443),
    ]
    with pytest.raises(ForbiddenAddress):
        await http.send(Outbound("GET", "https://api.example.com/v1"))
    assert len(tripwire.crossed) == 2


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_addresses_pass(address: str) -> None:
    guard = AddressGuard(resolve=_never_resolved)
    host = f"[{address}]" if ":" in address else address
    target = guard.check(f"https://{host}/v1", private_allowed=False)
    assert await guard.addresses(target, private_allowed=False) == [address]


async def test_the_operators_list_applies_only_where_a_request_allows_it() -> None:
    guard = AddressGuard(["ollama:11434", "[::1]:8000"], resolve=_never_resolved)
    for url in ("http://ollama:11434/v1", "https://[::1]:8000/v1", "HTTP://OLLAMA:11434/v1"):
        guard.check(url, private_allowed=True)
    with pytest.raises(ForbiddenAddress):
        guard.check("http://ollama:11434/v1", private_allowed=False)
    for url in ("http://ollama:11435/v1", "http://ollama/v1", "https://[::2]:8000/v1"):
        with pytest.raises(ForbiddenAddress):
            guard.check(url, private_allowed=True)


def test_plain_http_is_refused_even_to_public_hosts() -> None:
    with pytest.raises(ForbiddenAddress):
        AddressGuard().check("http://1.1.1.1/v1", private_allowed=True)


@pytest.mark.parametrize("entry", ["", "ollama", "http://ollama:1", "ollama:0", "a:1/x", "*:80"])
def test_an_entry_of_the_list_that_is_no_host_and_port_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        AddressGuard([entry])


@pytest.mark.parametrize("found", [OSError("no such host"), UnicodeError("label too long"), []])
async def test_a_name_without_addresses_is_a_failed_connection(
    found: Exception | list[str],
) -> None:
    async def resolved(host: str, port: int) -> Sequence[str]:
        if isinstance(found, Exception):
            raise found
        return found

    http = HttpClient(AddressGuard(resolve=resolved), tls=ROOTS)
    with pytest.raises(ConnectFailed):
        await http.send(Outbound("GET", "https://nowhere.example/v1"))


async def test_the_systems_resolver_is_asked_by_default() -> None:
    guard = AddressGuard()
    target = guard.check("https://localhost/v1", private_allowed=False)
    with pytest.raises(ForbiddenAddress):
        await guard.addresses(target, private_allowed=False)
