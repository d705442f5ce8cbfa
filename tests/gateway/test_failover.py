"""Failures before the first byte: another candidate answers, and every attempt is on record."""

from typing import Any

import openai
import pytest

from domain.health import Health
from domain.ruleset import Alias
from domain.snapshot import Timeouts
from domain.usage import UsageStatus
from tests.gateway.plane import MICRO, Plane, identity
from tests.gateway.test_chat import HELLO
from tests.provider.server import FakeProvider

FAULTS = [
    ("fail503", ["SERVER_ERROR"]),
    ("fail502", ["SERVER_ERROR"]),
    ("fail500", ["INTERNAL_ERROR", "INTERNAL_ERROR"]),
    ("fail429", ["RATE_LIMITED"]),
    ("fail429r30", ["RATE_LIMITED"]),
    ("fail401", ["KEY_REFUSED"]),
    ("fail402", ["KEY_REFUSED"]),
    ("fail404", ["MODEL_MISSING"]),
    ("reset", ["RESET", "RESET"]),
    ("error200", ["SERVER_ERROR"]),
    ("cut0", ["CUT"]),
    ("rst0", ["CUT"]),
    ("malformed0", ["MALFORMED"]),
]
ONLY_STREAMED = {"inband0": ["SERVER_ERROR"]}


def _with_fallback(plane: Plane, first: str, second: str = "two/spare-i10-o2") -> None:
    plane.rules(aliases={"smart": Alias(targets=(first,), fallbacks=(second,))})


async def _text(plane: Plane, model: str, stream: bool) -> str:
    answer: Any = await plane.client.chat.completions.create(
        model=model, messages=HELLO, stream=stream
    )
    if not stream:
        return str(answer.choices[0].message.content)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in answer])


def _outcomes(plane: Plane) -> list[str]:
    return [attempt.outcome for attempt in plane.records.outcomes[0].attempts]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("fault", "ends"), FAULTS)
async def test_a_failure_before_the_first_byte_is_answered_by_the_fallback(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    fault: str,
    ends: list[str],
    stream: bool,
) -> None:
    one = plane.provider("one", fake_provider.base_url, keys=("sk-one",))
    two = plane.provider("two", second_provider.base_url, keys=("sk-two",))
    plane.model(one, f"fake-{fault}", input=90 * MICRO)
    plane.model(two, "spare-i10-o2")
    _with_fallback(plane, f"one/fake-{fault}")

    text = await _text(plane, "smart", stream)

    if stream:
        ends = ONLY_STREAMED.get(fault, ends)
    assert text == "".join(second_provider.chats[0].text)
    (outcome,) = await plane.records.settled()
    assert _outcomes(plane) == [*ends, "OK"]
    assert [a.provider for a in outcome.attempts] == ["one"] * len(ends) + ["two"]
    assert len(fake_provider.chats) == len(ends)
    assert len(second_provider.chats) == 1
    assert outcome.status is UsageStatus.OK
    assert outcome.provider_slug == "two"
    # Failed attempts are not the caller's to pay for.
    assert outcome.cost == 10 * 1_000 + 2 * 4_000
    assert all(attempt.usage is None for attempt in outcome.attempts[:-1])


@pytest.mark.parametrize("stream", [False, True])
async def test_an_address_where_nobody_listens_is_passed_over(
    plane: Plane, second_provider: FakeProvider, nobody: str, stream: bool
) -> None:
    plane.model(plane.provider("one", f"http://{nobody}/v1"), "gone")
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2")
    _with_fallback(plane, "one/gone")

    text = await _text(plane, "smart", stream)

    await plane.records.settled()
    assert text == "".join(second_provider.chats[0].text)
    assert _outcomes(plane) == ["CONNECT", "OK"]


@pytest.mark.parametrize("fault", ["silent", "stall0", "t60000"])
async def test_a_first_token_that_does_not_come_in_time_fails_over(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, fault: str
) -> None:
    one = plane.provider("one", fake_provider.base_url, timeouts=Timeouts(first_token_ms=1_000))
    slow = plane.model(one, f"fake-{fault}")
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2")
    _with_fallback(plane, f"one/fake-{fault}")

    text = await _text(plane, "smart", stream=True)

    assert text == "".join(second_provider.chats[0].text)
    await plane.records.settled()
    assert _outcomes(plane) == ["TIMEOUT", "OK"]
    await fake_provider.idle()
    assert fake_provider.chats[0].aborted
    assert plane.configuration.live.vitals[slow.id].error_rate > 0


@pytest.mark.parametrize("fault", ["cut3", "rst3", "malformed3"])
async def test_a_whole_answer_that_breaks_off_is_asked_of_the_fallback(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, fault: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), f"fake-{fault}")
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2")
    _with_fallback(plane, f"one/fake-{fault}")

    text = await _text(plane, "smart", stream=False)

    assert text == "".join(second_provider.chats[0].text)
    assert _outcomes(plane)[1:] == ["OK"]


@pytest.mark.parametrize("fault", ["fail500x1", "resetx1", "fail429r0x1", "fail429r1x1"])
async def test_a_passing_failure_is_tried_once_more_at_the_same_place(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider, fault: str
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), f"fake-{fault}")
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2")
    _with_fallback(plane, f"one/fake-{fault}")

    await _text(plane, "smart", stream=True)

    assert len(fake_provider.chats) == 2
    assert second_provider.chats == []
    (outcome,) = await plane.records.settled()
    assert outcome.provider_slug == "one"
    assert [a.http_status for a in outcome.attempts][1:] == [200]


async def test_a_refused_key_gives_way_to_the_next_of_its_pool(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    fake_provider.key = "sk-good"
    one = plane.provider("one", fake_provider.base_url, keys=("sk-bad-1", "sk-bad-2", "sk-good"))
    plane.model(one, "fake")

    await _text(plane, "one/fake", stream=False)

    outcome = plane.records.outcomes[0]
    assert outcome.attempts[-1].outcome == "OK"
    assert outcome.attempts[-1].credential_id == identity("one:sk-good")
    assert {a.outcome for a in outcome.attempts[:-1]} <= {"KEY_REFUSED"}
    resting = plane.configuration.live.resting
    assert {key[0] for key in resting} == {a.credential_id for a in outcome.attempts[:-1]}


async def test_a_prompt_too_long_goes_to_larger_windows_only(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    two = plane.provider("two", second_provider.base_url)
    plane.model(one, "fake-contextlength", context=8_000)
    plane.model(two, "small", context=8_000)
    plane.model(two, "large", context=200_000)
    plane.rules(aliases={"smart": Alias(("one/fake-contextlength",), ("two/small", "two/large"))})

    await _text(plane, "smart", stream=False)

    assert [chat.model for chat in second_provider.chats] == ["large"]
    assert _outcomes(plane) == ["CONTEXT_LENGTH", "OK"]
    health = plane.configuration.live.vitals
    assert identity("one/fake-contextlength") not in health


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        ("contentfilter", 400, "content_filter"),
        ("contextlength", 400, "context_length_exceeded"),
        ("fail400", 400, "server_error"),
        ("fail422", 422, "server_error"),
    ],
)
async def test_what_the_upstream_finds_wrong_with_the_request_is_passed_on(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    refusal: str,
    status: int,
    code: str,
    stream: bool,
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), f"fake-{refusal}", context=8_000)
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2", context=8_000)
    _with_fallback(plane, f"one/fake-{refusal}")

    with pytest.raises(openai.APIStatusError) as caught:
        await _text(plane, "smart", stream)

    assert caught.value.status_code == status
    assert caught.value.code == code
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert second_provider.chats == []
    (outcome,) = await plane.records.settled()
    assert (outcome.status, outcome.cost) == (UsageStatus.ERROR, 0)
    assert outcome.error_class == "PROVIDER_REJECTED"
    assert plane.configuration.live.vitals == {}


@pytest.mark.parametrize(
    ("fault", "status", "calls"),
    [("fail503", 503, 1), ("fail500", 503, 2), ("fail401", 502, 1), ("fail404", 502, 1)],
)
async def test_when_nobody_can_serve_the_caller_is_told_whose_fault_it_is(
    plane: Plane, fake_provider: FakeProvider, fault: str, status: int, calls: int
) -> None:
    one = plane.provider("one", fake_provider.base_url, keys=("sk-secret-of-one",))
    plane.model(one, f"fake-{fault}")

    with pytest.raises(openai.APIStatusError) as caught:
        await _text(plane, f"one/fake-{fault}", stream=False)

    assert caught.value.status_code == status
    assert "`one`" in caught.value.message
    assert "sk-secret" not in caught.value.message
    assert caught.value.response.headers["x-fairlead-attempts"] == str(calls)
    assert len(fake_provider.chats) == calls
    (outcome,) = plane.records.outcomes
    assert (outcome.status, outcome.cost, outcome.model_id) == (UsageStatus.ERROR, 0, None)
    assert outcome.error_class == "PROVIDER_ERROR"


async def test_a_rate_limit_that_nobody_can_take_over_is_passed_on_with_its_wait(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    plane.model(plane.provider("one", fake_provider.base_url), "fake-fail429r17")

    with pytest.raises(openai.RateLimitError) as caught:
        await _text(plane, "auto", stream=True)

    assert caught.value.response.headers["retry-after"] == "17"
    assert plane.records.outcomes[0].error_class == "LIMIT_EXCEEDED"


async def test_no_more_attempts_are_made_than_the_rules_allow(
    plane: Plane, fake_provider: FakeProvider
) -> None:
    one = plane.provider("one", fake_provider.base_url)
    names = [f"fake-fail503-n{number}" for number in range(1, 6)]
    for name in names:
        plane.model(one, name)
    targets = tuple(f"one/{name}" for name in names)
    plane.rules(max_attempts=2, aliases={"smart": Alias(targets[:1], targets[1:])})

    with pytest.raises(openai.InternalServerError):
        await _text(plane, "smart", stream=False)

    assert [chat.model for chat in fake_provider.chats] == names[:2]


async def test_repeated_failures_open_the_circuit(
    plane: Plane, fake_provider: FakeProvider, second_provider: FakeProvider
) -> None:
    bad = plane.model(plane.provider("one", fake_provider.base_url), "fake-fail503")
    plane.model(plane.provider("two", second_provider.base_url), "spare-i10-o2")
    _with_fallback(plane, "one/fake-fail503")

    for _ in range(6):
        await _text(plane, "smart", stream=False)

    assert plane.configuration.live.vitals[bad.id].health is Health.OPEN
    assert len(fake_provider.chats) == 3
    assert len(second_provider.chats) == 6
