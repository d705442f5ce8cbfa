"""The fake provider as a pytest fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.provider.server import FakeProvider


@pytest.fixture
async def fake_provider() -> AsyncIterator[FakeProvider]:
    """A fake provider on a free port, without a key, with an empty log."""
    async with FakeProvider() as provider:
        yield provider
