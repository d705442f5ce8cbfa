"""Anthropic's own client before the data plane."""

from collections.abc import AsyncIterator

import pytest
from anthropic import AsyncAnthropic

from tests.gateway.plane import KEY, Plane


@pytest.fixture
async def claude(plane: Plane) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(
        base_url=plane.base_url.removesuffix("/v1"), api_key=KEY, max_retries=0
    ) as client:
        yield client
