"""Native providers fail as others do: another is asked, or there is never a clean end."""

from typing import Any

import openai
import pytest

from domain.ruleset import Alias
from domain.snapshot import ProviderType
from domain.usage import UsageStatus
from tests.gateway.adapter.formats import EVERY, HELLO, NATIVE, ask, serve
from tests.gateway.plane import Plane
from tests.provider.server import FakeProvider

both_modes = pytest.mark.parametrize("stream", [False, True])
every_format = pytest.mark.parametrize("type", EVERY)
native_formats = pytest.mark.parametrize("type", NATIVE)


def _with_spare(
    plane: Plane, first: FakeProvider, second: FakeProvider, type: ProviderType, model: str
) -> None:
    serve(plane, first, type, model)
    serve(plane, second, ProviderType.CUSTOM, "spare-n2", slug="two")
    plane.rules(aliases={"smart": Alias(targets=(f"one/{model}",), fallbacks=("two/spare-n2",))})


@both_modes
@every_format
@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("fail429", "RATE_LIMITED"),
        ("fail503", "SERVER_ERROR"),
        ("fail529", "SERVER_ERROR"),
        ("fail401", "KEY_REFUSED"),
        ("typo", "MODEL_MISSING"),
        ("error200", None),
        ("reset", "RESET"),
        ("inband0", None),
        ("malformed0", None),
        ("cut0", "CUT"),
    ],
)
async def test_before_the_first_byte_another_answers(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    type: ProviderType,
    fault: str,
    end: str | None,
    stream: bool,
) -> None:
    if fault == "inband0" and not stream:
        fault = "error200"
    _with_spare(plane, fake_provider, second_provider, type, f"fake-{fault}")

    answer = await ask(plane, stream, model="smart")

    assert answer["content"] == "word0 word1 "
    [outcome] = await plane.records.settled()
    assert outcome.provider_slug == "two"
    assert len(outcome.attempts) >= 2
    assert end in (None, outcome.attempts[0].outcome)
    assert [attempt.cost for attempt in outcome.attempts[:-1]] == [None] * (
        len(outcome.attempts) - 1
    )


@every_format
@pytest.mark.parametrize("fault", ["cut3", "rst3", "malformed3", "inband3"])
async def test_after_the_first_byte_there_is_no_clean_end(
    plane: Plane,
    fake_provider: FakeProvider,
    type: ProviderType,
    fault: str,
) -> None:
    """Without another to go on with it: tests/gateway/test_continuation.py has those."""
    serve(plane, fake_provider, type, f"fake-{fault}")
    plane.rules(aliases={"smart": Alias(targets=(f"one/fake-{fault}",))})
    text: list[str] = []

    with pytest.raises(openai.APIError):
        await _read(plane, text)

    assert "".join(text) == "word0 word1 word2 "
    [outcome] = await plane.records.settled()
    assert outcome.status is UsageStatus.CUT
    assert outcome.cost is not None


async def _read(plane: Plane, text: list[str]) -> None:
    stream: Any = await plane.client.chat.completions.create(
        model="smart", messages=HELLO, stream=True
    )
    async for chunk in stream:
        text.append(chunk.choices[0].delta.content or "")


@both_modes
@native_formats
@pytest.mark.parametrize(
    ("refusal", "code"),
    [("contextlength", "context_length_exceeded"), ("contentfilter", "content_filter")],
)
async def test_a_refused_prompt_is_refused_as_openai_does(
    plane: Plane,
    fake_provider: FakeProvider,
    type: ProviderType,
    refusal: str,
    code: str,
    stream: bool,
) -> None:
    serve(plane, fake_provider, type, f"fake-{refusal}")

    with pytest.raises(openai.BadRequestError) as refused:
        await ask(plane, stream)

    if type is ProviderType.ANTHROPIC or refusal == "contextlength":
        assert refused.value.code == code
    [outcome] = await plane.records.settled()
    assert [attempt.outcome for attempt in outcome.attempts] == [
        "CONTEXT_LENGTH" if refusal == "contextlength" else "CONTENT_FILTER"
    ]
    assert outcome.cost == 0


@both_modes
@native_formats
async def test_a_field_a_format_cannot_honour_goes_to_one_that_can(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    type: ProviderType,
    stream: bool,
) -> None:
    _with_spare(plane, fake_provider, second_provider, type, "fake")

    await ask(plane, stream, model="smart", logit_bias={"50256": -100})

    assert fake_provider.chats == []
    assert second_provider.chats[0].body["logit_bias"] == {"50256": -100}
    [outcome] = await plane.records.settled()
    assert [attempt.outcome for attempt in outcome.attempts] == ["UNSUPPORTED", "OK"]


@both_modes
@native_formats
async def test_a_field_nobody_can_honour_is_named(
    plane: Plane, fake_provider: FakeProvider, type: ProviderType, stream: bool
) -> None:
    serve(plane, fake_provider, type, "fake")

    with pytest.raises(openai.BadRequestError) as refused:
        await ask(plane, stream, logit_bias={"50256": -100})

    assert refused.value.param == "logit_bias"
    assert refused.value.body == {
        "message": "`one` cannot honour `logit_bias`.",
        "type": "invalid_request_error",
        "param": "logit_bias",
        "code": "malformed_request",
    }
    assert fake_provider.log == []
    assert (await plane.records.settled())[0].cost == 0


@both_modes
@native_formats
async def test_what_failed_is_told_rather_than_what_was_not_asked(
    plane: Plane,
    fake_provider: FakeProvider,
    second_provider: FakeProvider,
    type: ProviderType,
    stream: bool,
) -> None:
    serve(plane, fake_provider, ProviderType.CUSTOM, "fake-fail503")
    serve(plane, second_provider, type, "fake", slug="two")
    plane.rules(aliases={"smart": Alias(targets=("one/fake-fail503",), fallbacks=("two/fake",))})

    with pytest.raises(openai.InternalServerError) as failed:
        await ask(plane, stream, model="smart", logit_bias={"1": 1})

    assert failed.value.status_code == 503
    assert second_provider.log == []
