"""A data plane before two fake providers and an address where nobody listens."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.gateway.plane import Plane, serving
from tests.provider.server import FakeProvider


@pytest.fixture
async def second_provider() -> AsyncIterator[FakeProvider]:
    """Another fake provider."""
    async with FakeProvider() as provider:
        yield provider


@pytest.fixture
def nobody() -> Iterator[str]:
    """host:port that refuses connections."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unused.getsockname()[1]}"


@pytest.fixture
def pieces() -> list[bytes]:
    """What a provider sends of every answer (tests/gateway/raw.py)."""
    return []


@pytest.fixture
async def plane(
    fake_provider: FakeProvider, second_provider: FakeProvider, nobody: str
) -> AsyncIterator[Plane]:
    """A data plane that may reach both providers, with nothing to route to yet."""
    async with serving(fake_provider.host_port, second_provider.host_port, nobody) as plane:
        yield plane
