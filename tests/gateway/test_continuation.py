"""A stream that breaks off is gone on with by another provider, or ends with an error."""

from typing import Any

import openai
import pytest

from domain.ruleset import Alias
from domain.snapshot import Capability
from domain.usage import Outcome, UsageSource, UsageStatus
from tests.gateway.plane import Plane
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

PREFILL = frozenset({Capability.STREAMING, Capability.PREFILL})
PLAIN = frozenset({Capability.STREAMING})
WHOLE = "".join(f"word{n} " for n in range(8))


@pytest.fixture
def smart(plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider) -> Any:
    """Makes the alias `smart`: the first provider's model breaks off, the second's is its spare."""

    def make(first: str, spare: str, capabilities: frozenset[Capability]) -> None:
        plane.model(plane.provider("one", fake_provider.base_url), first)
        two = plane.provider("two", second_provider.base_url)
        plane.model(two, spare, capabilities=capabilities, output=9_000_000)
        plane.rules(aliases={"smart": Alias((f"one/{first}",), (f"two/{spare}",))})

    return make


async def _read(plane: Plane, **more: Any) -> list[Any]:
    stream = await plane.client.chat.completions.create(
        model="smart", messages=HELLO, stream=True, **more
    )
    return [part async for part in stream]


async def _broken(plane: Plane, **more: Any) -> str:
    seen: list[str] = []
    stream = await plane.client.chat.completions.create(
        model="smart", messages=HELLO, stream=True, **more
    )
    with pytest.raises(openai.APIError):
        await _into(seen, stream)
    return "".join(seen)


async def _into(seen: list[str], stream: Any) -> None:
    async for part in stream:
        seen.append(part.choices[0].delta.content or "")


def _text(parts: list[Any]) -> str:
    return "".join(part.choices[0].delta.content or "" for part in parts if part.choices)


async def _outcome(plane: Plane) -> Outcome:
    (outcome,) = await plane.records.settled()
    return outcome


@pytest.mark.parametrize("fault", ["cut3", "rst3", "malformed3", "inband3", "nodone-cut8"])
async def test_a_model_that_takes_the_beginning_goes_on_with_it(
    plane: Plane, smart: Any, second_provider: FakeProvider, fault: str
) -> None:
    smart(f"fake-{fault}-g20", "fake", PREFILL)
    parts = await _read(plane, max_tokens=100)

    assert _text(parts) == WHOLE
    assert len({(part.id, part.model, part.created) for part in parts}) == 1
    assert [part.choices[0].finish_reason for part in parts].count("stop") == 1
    asked = second_provider.chats[0].body
    assert asked["messages"][-1]["role"] == "assistant"
    assert asked["messages"][-1]["content"] == asked["messages"][-1]["content"].rstrip()
    assert asked["max_tokens"] < 100
    assert asked["continue_final_message"]


async def test_both_attempts_are_on_record_and_the_one_that_finished_is_charged(
    plane: Plane, smart: Any, second_provider: FakeProvider
) -> None:
    smart("fake-cut3-g20", "fake", PREFILL)
    await _read(plane)

    outcome = await _outcome(plane)
    used = second_provider.chats[0].usage
    assert used is not None
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "OK"]
    assert outcome.attempts[0].cost
    assert (outcome.status, outcome.usage_source) == (UsageStatus.OK, UsageSource.PROVIDER)
    assert (outcome.provider_slug, outcome.usage.output) == ("two", 5)
    assert outcome.cost == used["prompt_tokens"] * 1_000 + 5 * 9_000


async def test_usage_that_was_asked_for_is_told_under_the_same_answer(
    plane: Plane, smart: Any
) -> None:
    smart("fake-cut3-g20", "fake", PREFILL)
    parts = await _read(plane, stream_options={"include_usage": True})

    assert parts[-1].usage.completion_tokens == 5
    assert len({(part.id, part.model) for part in parts}) == 1


@pytest.mark.parametrize(("spare", "capabilities"), [("fake", PLAIN), ("fake-noprefill", PREFILL)])
async def test_an_answer_begun_anew_is_joined_where_it_says_the_same(
    plane: Plane,
    smart: Any,
    second_provider: FakeProvider,
    spare: str,
    capabilities: frozenset[Capability],
) -> None:
    smart("fake-cut3-g20", spare, capabilities)
    parts = await _read(plane)

    assert _text(parts) == WHOLE
    assert second_provider.chats[-1].body["messages"] == HELLO
    assert (await _outcome(plane)).usage.output == 8


async def test_an_answer_that_says_something_else_is_never_joined(
    plane: Plane, smart: Any, second_provider: FakeProvider
) -> None:
    smart("fake-cut3-g20", "other-n50-g20", PLAIN)
    seen = await _broken(plane)

    outcome = await _outcome(plane)
    await second_provider.idle()
    assert seen == "word0 word1 word2 "
    assert second_provider.chats[0].aborted
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "CUT"]
    assert (outcome.status, outcome.provider_slug) == (UsageStatus.CUT, "one")
    assert outcome.usage.output == 3
    assert outcome.cost == outcome.usage.input * 1_000 + 3 * 4_000


async def test_it_is_gone_on_with_once(plane: Plane, smart: Any) -> None:
    smart("fake-cut3-g20", "fake-cut2-g20", PREFILL)
    seen = await _broken(plane)

    outcome = await _outcome(plane)
    assert seen == "word0 word1 word2 word3 word4 "
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "CUT"]
    assert (outcome.status, outcome.provider_slug) == (UsageStatus.CUT, "one")
    assert outcome.usage.output == 5


async def test_a_spare_that_does_not_answer_leaves_the_error(plane: Plane, smart: Any) -> None:
    smart("fake-cut3-g20", "fake-fail503", PLAIN)
    seen = await _broken(plane)

    outcome = await _outcome(plane)
    assert seen == "word0 word1 word2 "
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "SERVER_ERROR"]
    assert (outcome.status, outcome.usage.output) == (UsageStatus.CUT, 3)


@pytest.mark.parametrize(
    "asks",
    [
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
    ],
)
async def test_what_is_more_than_text_is_not_gone_on_with(
    plane: Plane, smart: Any, second_provider: FakeProvider, asks: dict[str, Any]
) -> None:
    smart("fake-cut3-g20", "fake", PREFILL)
    await _broken(plane, **asks)
    assert second_provider.chats == []


async def test_a_client_that_leaves_while_another_goes_on_pays_what_it_was_sent(
    plane: Plane, smart: Any, second_provider: FakeProvider
) -> None:
    smart("fake-cut3-g20", "fake-n500-g20", PREFILL)
    stream = await plane.client.chat.completions.create(model="smart", messages=HELLO, stream=True)
    seen = 0
    async for part in stream:
        seen += bool(part.choices[0].delta.content)
        if seen == 10:
            break
    await stream.close()

    outcome = await _outcome(plane)
    await second_provider.idle()
    assert second_provider.chats[0].aborted
    assert [attempt.outcome for attempt in outcome.attempts] == ["CUT", "CANCELLED"]
    assert outcome.status is UsageStatus.CANCELLED
    assert 10 <= outcome.usage.output <= 3 + second_provider.chats[0].chunks
