"""What a cache keeps an hour has a price of its own, whatever the format."""

import pytest
from anthropic import AsyncAnthropic

from domain.snapshot import ProviderType
from domain.usage import TokenUsage
from tests.gateway.adapter.formats import ask
from tests.gateway.messages.asking import ask as say
from tests.gateway.plane import KEY, MICRO, Plane
from tests.provider.server import FakeProvider


@pytest.mark.parametrize("stream", [False, True])
async def test_what_anthropic_keeps_an_hour_has_its_price_in_both_formats(
    plane: Plane, fake_provider: FakeProvider, stream: bool
) -> None:
    made = plane.provider("one", fake_provider.base_url, keys=("sk",), type=ProviderType.ANTHROPIC)
    model = "fake-i1000-c400-w100-h30-o20"
    plane.model(
        made,
        model,
        input=3 * MICRO,
        output=15 * MICRO,
        cached_input=300_000,
        cache_write=3_750_000,
        cache_write_1h=6_000_000,
    )
    answer = await ask(plane, stream, model=f"one/{model}")
    async with AsyncAnthropic(
        base_url=plane.base_url.removesuffix("/v1"), api_key=KEY, max_retries=0
    ) as claude:
        message = await say(claude, stream, model=f"one/{model}")

    outcomes = await plane.records.settled(2)
    used = TokenUsage(input=1000, cached=400, cache_write=100, output=20, cache_write_1h=30)
    assert [outcome.usage for outcome in outcomes] == [used] * 2
    nano = 500 * 3_000 + 400 * 300 + 70 * 3_750 + 30 * 6_000 + 20 * 15_000
    assert [outcome.cost for outcome in outcomes] == [nano] * 2
    assert answer["usage"].prompt_tokens_details.cache_write_1h_tokens == 30
    assert message.usage.cache_creation is not None
    assert message.usage.cache_creation.ephemeral_1h_input_tokens == 30
