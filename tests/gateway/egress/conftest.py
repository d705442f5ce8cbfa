"""A client that may reach this machine: the list names every port that a test serves on."""

from collections.abc import AsyncIterator, Callable

import pytest

from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.egress.limits import Limits
from tests.provider import FakeProvider

Clients = Callable[..., HttpClient]


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    """Makes clients that may connect to the `host:port`s given; closed after the test."""
    made: list[HttpClient] = []

    def make(*hosts: str, limits: Limits = Limits()) -> HttpClient:  # noqa: B008 - frozen
        made.append(HttpClient(AddressGuard(hosts), limits=limits))
        return made[-1]

    yield make
    for http in made:
        await http.close()


@pytest.fixture
def http(clients: Clients, fake_provider: FakeProvider) -> HttpClient:
    """A client that may connect to the fake provider."""
    return clients(fake_provider.host_port)
