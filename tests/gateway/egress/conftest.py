"""A client that may reach this machine: the list names every port that a test serves on."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack

import pytest
import uvloop

from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.egress.limits import Limits
from tests.gateway.egress.scripted import Scripted
from tests.provider import FakeProvider

ROOTS = ssl.create_default_context()
"""Made once: reading the system's certificates takes longer than a test."""

Clients = Callable[..., HttpClient]


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops: the product runs on uvloop, and their transports differ in the details."""
    if item.path.name == "test_guard.py":
        # asyncio's own loop has one way to connect, which can be watched.
        return {"asyncio": asyncio.SelectorEventLoop}
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    """Makes clients that may connect to the `host:port`s given; closed after the test."""
    made: list[HttpClient] = []

    def make(*hosts: str, limits: Limits = Limits()) -> HttpClient:  # noqa: B008 - frozen
        made.append(HttpClient(AddressGuard(hosts), limits=limits, tls=ROOTS))
        return made[-1]

    yield make
    for http in made:
        await http.close()


@pytest.fixture
def http(clients: Clients, fake_provider: FakeProvider) -> HttpClient:
    """A client that may connect to the fake provider."""
    return clients(fake_provider.host_port)


class Upstreams:
    """Starts scripted upstreams and asks them things."""

    def __init__(self, stack: AsyncExitStack, clients: Clients) -> None:
        self._stack = stack
        self._clients = clients

    async def start(
        self,
        *scripts: Sequence[bytes],
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> tuple[HttpClient, Scripted]:
        server = await self._stack.enter_async_context(Scripted(*scripts))
        return self._clients(server.host_port, limits=limits), server


@pytest.fixture
async def upstreams(clients: Clients) -> AsyncIterator[Upstreams]:
    async with AsyncExitStack() as stack:
        yield Upstreams(stack, clients)
