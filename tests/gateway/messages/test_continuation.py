"""A message that breaks off is gone on with by another provider, of any format, or ends so."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from domain.ruleset import Alias
from domain.snapshot import Capability, ProviderType
from domain.usage import UsageSource, UsageStatus
from tests.gateway.adapter.formats import EVERY, PATHS
from tests.gateway.messages.asking import HELLO
from tests.gateway.plane import Plane
from tests.provider.server import FakeProvider

PREFILL = frozenset({Capability.STREAMING, Capability.PREFILL})
ABLE = PREFILL | {Capability.TOOLS, Capability.REASONING, Capability.JSON_SCHEMA}
PLAIN = frozenset({Capability.STREAMING})
WHOLE = "".join(f"word{n} " for n in range(8))


@pytest.fixture
def smart(plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider) -> Any:
    """Makes the alias `smart`: the first provider's model breaks off, the second's is its spare."""

    def make(
        first: tuple[ProviderType, str],
        spare: tuple[ProviderType, str],
        capabilities: frozenset[Capability] = PREFILL,
    ) -> None:
        ends = (
            ("one", fake_provider, *first, ABLE),
            ("two", second_provider, *spare, capabilities),
        )
        for slug, server, type, model, able in ends:
            url = server.origin + PATHS[type]
            made = plane.provider(slug, url, keys=("sk",), type=type)
            plane.model(made, model, capabilities=able)
        plane.rules(aliases={"smart": Alias((f"one/{first[1]}",), (f"two/{spare[1]}",))})

    return make


async def _message(claude: AsyncAnthropic, **more: Any) -> Any:
    asked: Any = {"model": "smart", "max_tokens": 900, "messages": HELLO} | more
    async with claude.messages.stream(**asked) as events:
        kinds = [event.type async for event in events]
        assert kinds.count("message_start") == kinds.count("message_stop") == 1
        assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1
        return await events.get_final_message()


async def _broken(claude: AsyncAnthropic, **more: Any) -> str:
    """What was said before the error."""
    asked: Any = {"model": "smart", "max_tokens": 900, "messages": HELLO} | more
    seen: list[str] = []
    with pytest.raises(anthropic.APIError):
        await _into(seen, claude, asked)
    return "".join(seen)


async def _into(seen: list[str], claude: AsyncAnthropic, asked: Any) -> None:
    async with claude.messages.stream(**asked) as events:
        async for text in events.text_stream:
            seen.append(text)


@pytest.mark.parametrize("broken", EVERY)
@pytest.mark.parametrize("spare", EVERY)
async def test_any_format_goes_on_with_any_other(
    plane: Plane,
    smart: Any,
    claude: AsyncAnthropic,
    second_provider: FakeProvider,
    broken: ProviderType,
    spare: ProviderType,
) -> None:
    smart((broken, "fake-cut3-g20"), (spare, "fake"))

    answer = await _message(claude)

    [outcome] = await plane.records.settled()
    assert [block.text for block in answer.content] == [WHOLE]
    assert (answer.stop_reason, answer.usage.output_tokens) == ("end_turn", 5)
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "OK"]
    assert (outcome.status, outcome.usage_source) == (UsageStatus.OK, UsageSource.PROVIDER)
    assert outcome.usage.output == 5
    begun = second_provider.chats[0].body
    assert "word2" in str(begun)
    assert begun.get("max_tokens", 899) < 900


@pytest.mark.parametrize("fault", ["cut3", "rst3", "malformed3", "inband3"])
@pytest.mark.parametrize(
    ("spare", "capabilities"),
    [("fake", PREFILL), ("fake", PLAIN), ("fake-noprefill", PREFILL)],
)
async def test_however_it_broke_and_whatever_the_spare_takes(
    smart: Any,
    claude: AsyncAnthropic,
    fault: str,
    spare: str,
    capabilities: frozenset[Capability],
) -> None:
    anthropics = ProviderType.ANTHROPIC
    smart((anthropics, f"fake-{fault}-g20"), (anthropics, spare), capabilities)

    answer = await _message(claude)

    assert [block.text for block in answer.content] == [WHOLE]


async def test_an_answer_that_says_something_else_is_never_joined(
    plane: Plane, smart: Any, claude: AsyncAnthropic
) -> None:
    anthropics = ProviderType.ANTHROPIC
    smart((anthropics, "fake-cut3-g20"), (anthropics, "other-n50-g20"), PLAIN)

    seen = await _broken(claude)

    [outcome] = await plane.records.settled()
    assert seen == "word0 word1 word2 "
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "CUT"]
    assert (outcome.status, outcome.usage.output) == (UsageStatus.CUT, 3)


@pytest.mark.parametrize(
    "asks",
    [
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
        {"tools": [{"name": "weather", "input_schema": {"type": "object"}}]},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {"messages": [*HELLO, {"role": "assistant", "content": "four"}]},
    ],
    ids=["thinking", "tools", "schema", "begun"],
)
async def test_what_is_more_than_text_is_not_gone_on_with(
    smart: Any, claude: AsyncAnthropic, second_provider: FakeProvider, asks: dict[str, Any]
) -> None:
    anthropics = ProviderType.ANTHROPIC
    smart((anthropics, "fake-cut3-g20"), (anthropics, "fake"), ABLE)

    await _broken(claude, **asks)

    assert second_provider.chats == []
