"""What rules say of fallbacks by kind of failure: content filters, and prompts too long."""

from typing import Any

import openai
import pytest

from domain.ruleset import Alias
from tests.gateway.plane import Plane
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider


async def ask(plane: Plane, stream: bool) -> None:
    answer: Any = await plane.client.chat.completions.create(
        model="smart", messages=HELLO, stream=stream
    )
    if stream:
        assert [chunk async for chunk in answer]


def outcomes(plane: Plane) -> list[str]:
    return [attempt.outcome for attempt in plane.records.outcomes[0].attempts]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_filtered_request_goes_elsewhere_only_where_the_rules_say_so(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, stream: bool
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-contentfilter")
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2")
    aliases = {"smart": Alias(("one/fake-contentfilter",), ("two/spare-i10-o2",))}

    plane.rules(aliases=aliases)
    with pytest.raises(openai.BadRequestError):
        await ask(plane, stream)
    assert outcomes(plane) == ["CONTENT_FILTER"]
    assert second_provider.chats == []

    plane.records.outcomes.clear()
    plane.rules(aliases=aliases, content_filter_fallback=True)
    await ask(plane, stream)
    await plane.records.settled()
    assert outcomes(plane) == ["CONTENT_FILTER", "OK"]


async def test_when_all_filter_the_caller_is_told_so(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-contentfilter")
    plane.model(plane.provider("two", second_provider.base_url), "other-contentfilter")
    aliases = {"smart": Alias(("one/fake-contentfilter",), ("two/other-contentfilter",))}
    plane.rules(aliases=aliases, content_filter_fallback=True)

    with pytest.raises(openai.BadRequestError, match="filter"):
        await ask(plane, stream=False)
    assert outcomes(plane) == ["CONTENT_FILTER", "CONTENT_FILTER"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_that_proves_too_long_reaches_the_larger_window_behind_the_others(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, stream: bool
) -> None:
    one, two = (
        plane.provider("one", fake_provider.base_url),
        plane.provider("two", second_provider.base_url),
    )
    plane.model(one, "fake-contextlength", context=8_000)
    plane.model(two, "small", context=8_000)
    plane.model(two, "large", context=200_000)
    targets = ("one/fake-contextlength", "two/small")
    plane.rules(aliases={"smart": Alias(targets, ("two/large",))}, max_attempts=2)

    await ask(plane, stream)

    await plane.records.settled()
    assert outcomes(plane) == ["CONTEXT_LENGTH", "OK"]
    assert [chat.model for chat in second_provider.chats] == ["large"]


async def test_the_larger_window_is_no_further_attempt_after_other_failures(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    one, two = (
        plane.provider("one", fake_provider.base_url),
        plane.provider("two", second_provider.base_url),
    )
    plane.model(one, "a-fail503", context=8_000)
    plane.model(two, "b-fail503", context=8_000)
    plane.model(two, "large", context=200_000)
    plane.rules(
        aliases={"smart": Alias(("one/a-fail503", "two/b-fail503"), ("two/large",))},
        max_attempts=2,
    )

    with pytest.raises(openai.APIStatusError):
        await ask(plane, stream=False)
    assert outcomes(plane) == ["SERVER_ERROR", "SERVER_ERROR"]
