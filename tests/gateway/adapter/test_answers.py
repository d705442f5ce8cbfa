"""Native answers, streams and errors as we read them, however they are cut into pieces."""

import json
from typing import Any

import pytest

from domain.snapshot import Deployment, Provider, ProviderType
from gateway.adapter.adapters import ADAPTERS
from gateway.adapter.events import MOST_HELD, Events
from gateway.failure import End, UpstreamFailure
from gateway.openai.request import ChatRequest
from gateway.stream import Scanner
from tests.gateway.adapter.formats import NATIVE
from tests.gateway.plane import identity
from tests.provider import anthropic, google
from tests.provider.behaviour import parse
from tests.provider.script import Asked, Script

CLAUDE, GEMINI = ProviderType.ANTHROPIC, ProviderType.GOOGLE
FAKES: Any = {CLAUDE: anthropic, GEMINI: google}


def _deployment(type: ProviderType) -> Deployment:
    return Deployment(identity("m"), Provider(identity("p"), "p", type, ""), "m", "m", "m")


def _scanner(type: ProviderType, choices: int = 1) -> Scanner:
    request = ChatRequest.decode(b'{"model":"m","messages":[{}],"stream":true}')
    request.choices = choices
    translate = ADAPTERS[type].stream(_deployment(type), request)
    return Scanner(shows_usage=True, choices=choices, translate=translate)


def _streamed(type: ProviderType, model: str) -> bytes:
    behaviour = parse(model)
    assert behaviour is not None
    asked = Asked({}, "m", True, [("user", "x")])
    fake = FAKES[type]
    answer = fake.answer(1, asked, Script(asked, behaviour))
    return b"".join([answer.opening(), *answer.contents(), answer.closing(), fake.terminal])


@pytest.mark.parametrize("type", NATIVE)
@pytest.mark.parametrize("model", ["fake-i9-o5-r2", "fake-tools2-r1"])
@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_stream_means_the_same_in_any_pieces(
    type: ProviderType, model: str, size: int, ending: bytes
) -> None:
    stream = _streamed(type, model).replace(b"\n", ending)
    whole, pieces = _scanner(type), _scanner(type)

    at_once = whole.feed(stream)
    cut = b"".join(
        pieces.feed(stream[start : start + size]) for start in range(0, len(stream), size)
    )

    assert _bare(cut) == _bare(at_once)
    assert pieces.whole
    assert pieces.usage == whole.usage is not None


def _bare(events: bytes) -> list[Any]:
    chunks = [json.loads(line[6:]) for line in events.splitlines() if line.startswith(b"data: ")]
    for chunk in chunks:
        assert chunk.pop("created") > 0
        for choice in chunk["choices"]:
            for call in choice["delta"].get("tool_calls", ()):
                call.pop("id", None)
    return chunks


def test_an_event_without_end_is_not_held_for_ever() -> None:
    events = Events()
    for _ in range(MOST_HELD // 2**20 + 1):
        assert events.feed(b"x" * 2**20) == []
    assert events.overlong


@pytest.mark.parametrize("type", NATIVE)
@pytest.mark.parametrize("payload", [b"{", b"[]", b"7", b'{"type":5,"candidates":5}'])
def test_an_event_of_another_shape_fails_the_answer(type: ProviderType, payload: bytes) -> None:
    scanner = _scanner(type)
    scanner.feed(b"data: " + payload + b"\n\n")
    assert scanner.failure is not None


@pytest.mark.parametrize("type", NATIVE)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"content":[],"candidates":[]}'])
def test_a_whole_answer_of_another_shape_is_none(type: ProviderType, body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as failure:
        ADAPTERS[type].answer(body, _deployment(type))
    assert failure.value.end is End.MALFORMED


def _claude(stop_reason: str) -> dict[str, Any]:
    block = {"type": "text", "text": "x"}
    return {"type": "message", "id": "m", "content": [block], "stop_reason": stop_reason}


def _gemini(reason: str) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": reason}]}


@pytest.mark.parametrize(
    ("type", "said", "finish"),
    [
        (CLAUDE, _claude("stop_sequence"), "stop"),
        (CLAUDE, _claude("refusal"), "content_filter"),
        (CLAUDE, _claude("model_context_window_exceeded"), "length"),
        (CLAUDE, _claude("made_later"), "stop"),
        (GEMINI, _gemini("SAFETY"), "content_filter"),
        (GEMINI, _gemini("RECITATION"), "content_filter"),
        (GEMINI, _gemini("MAX_TOKENS"), "length"),
        (GEMINI, _gemini("MALFORMED_FUNCTION_CALL"), None),
        (GEMINI, _gemini("OTHER"), None),
    ],
)
def test_why_an_answer_ended(type: ProviderType, said: Any, finish: str | None) -> None:
    body = json.dumps(said).encode()
    if finish is None:
        with pytest.raises(UpstreamFailure) as failure:
            ADAPTERS[type].answer(body, _deployment(type))
        assert failure.value.end is End.MALFORMED
    else:
        choice = json.loads(ADAPTERS[type].answer(body, _deployment(type)))["choices"][0]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("x", finish)


def test_geminis_choices_and_log_probabilities() -> None:
    seen = {
        "chosenCandidates": [{"token": "é", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.5}]}],
    }
    first = {"content": {"parts": [{"text": "é"}]}, "finishReason": "STOP"}
    second = first | {"index": 1, "logprobsResult": seen}
    body = json.dumps({"candidates": [first, second]}).encode()
    said = json.loads(ADAPTERS[GEMINI].answer(body, _deployment(GEMINI)))
    token = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    assert [choice["index"] for choice in said["choices"]] == [0, 1]
    assert said["choices"][1]["logprobs"] == {
        "content": [token | {"top_logprobs": [token]}],
        "refusal": None,
    }
    scanner = _scanner(GEMINI, choices=2)
    scanner.feed(b"data: " + json.dumps({"candidates": [first]}).encode() + b"\n\n")
    assert not scanner.whole
    scanner.feed(b"data: " + json.dumps({"candidates": [second]}).encode() + b"\n\n")
    assert scanner.whole


def _google_error(code: int, message: str, **detail: Any) -> Any:
    return {"error": {"code": code, "message": message, "details": [detail]}}


@pytest.mark.parametrize(
    ("type", "status", "body", "end", "wait"),
    [
        (CLAUDE, 529, anthropic.error(529, "Overloaded"), End.SERVER_ERROR, None),
        (CLAUDE, 413, anthropic.error(413, "Too large."), End.REJECTED, None),
        (
            CLAUDE,
            400,
            anthropic.error(400, "Your credit balance is too low to access the Anthropic API."),
            End.KEY_REFUSED,
            None,
        ),
        (
            GEMINI,
            400,
            [_google_error(400, "API key not valid.", reason="API_KEY_INVALID")],
            End.KEY_REFUSED,
            None,
        ),
        (GEMINI, 429, _google_error(429, "Quota.", retryDelay="31.5s"), End.RATE_LIMITED, 31.5),
        (GEMINI, 429, [_google_error(429, "Quota.")], End.RATE_LIMITED, None),
        (GEMINI, 503, [_google_error(503, "Overloaded.")], End.SERVER_ERROR, None),
    ],
)
def test_what_an_error_means(
    type: ProviderType, status: int, body: Any, end: End, wait: float | None
) -> None:
    failure = ADAPTERS[type].error(status, {}, json.dumps(body).encode())
    assert (failure.end, failure.retry_after, failure.status) == (end, wait, status)


def test_an_overloaded_provider_that_says_so_in_its_stream_has_not_sent_nonsense() -> None:
    with pytest.raises(UpstreamFailure) as failure:
        _scanner(CLAUDE).feed(anthropic.failed())
    assert (failure.value.end, failure.value.status) == (End.SERVER_ERROR, 529)
