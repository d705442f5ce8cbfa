"""Both official clients for Python raise when a provider dies, whichever chunk it dies at."""

from typing import Any

import anthropic
import openai
import pytest

from domain.snapshot import ProviderType
from tests.gateway.adapter.formats import EVERY, HELLO, serve
from tests.gateway.plane import KEY, Plane
from tests.provider.server import FakeProvider

CHUNKS = 9
every_format = pytest.mark.parametrize("type", EVERY)
deaths = pytest.mark.parametrize("death", ["cut", "rst"])


def _dying(plane: Plane, provider: FakeProvider, type: ProviderType, death: str) -> list[str]:
    models = [f"fake-{death}{chunk}" for chunk in range(CHUNKS)]
    for model in models:
        serve(plane, provider, type, model)
    return [f"one/{model}" for model in models]


@deaths
@every_format
async def test_openais_client_raises(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, death: str
) -> None:
    seen: list[str] = []
    for chunk, model in enumerate(_dying(plane, fake_provider, type, death)):
        seen.clear()
        with pytest.raises(openai.APIError):
            await _read_chunks(plane, model, seen)
        assert len(seen) == chunk


async def _read_chunks(plane: Plane, model: str, seen: list[str]) -> None:
    asked: Any = {"model": model, "messages": HELLO, "stream": True}
    async for chunk in await plane.client.chat.completions.create(**asked):
        if chunk.choices and chunk.choices[0].delta.content:
            seen.append(chunk.choices[0].delta.content)


@deaths
@every_format
async def test_anthropics_client_raises(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, death: str
) -> None:
    seen: list[str] = []
    origin = plane.base_url.removesuffix("/v1")
    async with anthropic.AsyncAnthropic(base_url=origin, api_key=KEY, max_retries=0) as claude:
        for chunk, model in enumerate(_dying(plane, fake_provider, type, death)):
            seen.clear()
            with pytest.raises(anthropic.APIError):
                await _read_texts(claude, model, seen)
            assert len(seen) == chunk


async def _read_texts(claude: anthropic.AsyncAnthropic, model: str, seen: list[str]) -> None:
    asked: Any = {"model": model, "max_tokens": 99, "messages": HELLO}
    async with claude.messages.stream(**asked) as events:
        async for text in events.text_stream:
            seen.append(text)
