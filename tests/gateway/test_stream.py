"""The scanner of event streams: whole events out, whatever the pieces in."""

import json
from typing import Any

import pytest

from gateway.stream import Scanner


def _chunk(delta: Any = None, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "x", "object": "chat.completion.chunk", "choices": choices, **fields}


def _event(chunk: Any, *, spaced: bool = False, end: bytes = b"\n\n") -> bytes:
    text = json.dumps(chunk, separators=(", ", ": ") if spaced else (",", ":"))
    return b"data: " + text.encode() + end


USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
OPENING = _event(_chunk({"role": "assistant", "content": ""}))
WORDS = [_event(_chunk({"content": f"word{n} "})) for n in range(3)]
STOP = _event(_chunk({}, "stop"))
FIGURE = _event(_chunk(usage=USAGE))
DONE = b"data: [DONE]\n\n"
PLAIN = b"".join([OPENING, *WORDS, STOP])


def _fed(data: bytes, size: int, *, shows_usage: bool = False) -> tuple[bytes, Scanner]:
    scanner = Scanner(shows_usage=shows_usage)
    passed = b""
    for start in range(0, len(data), size):
        passed += scanner.feed(data[start : start + size])
    return passed, scanner


@pytest.mark.parametrize("size", [*range(1, 40), 10_000])
def test_events_split_anywhere_come_out_whole_and_untouched(size: int) -> None:
    passed, scanner = _fed(PLAIN + FIGURE + DONE, size)

    assert passed == PLAIN
    assert (scanner.done, scanner.finished, scanner.whole) == (True, True, True)
    assert json.loads(scanner.usage or b"") == USAGE
    assert scanner.events == scanner.output_estimate == 3


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\r\r"])
def test_other_line_ends_are_understood(size: int, end: bytes) -> None:
    stream = (PLAIN + FIGURE + DONE).replace(b"\n\n", end)

    passed, scanner = _fed(stream, size)

    assert passed == PLAIN.replace(b"\n\n", end)
    assert scanner.whole
    assert scanner.events == 3


@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize("spaced", [False, True])
def test_usage_that_is_null_is_taken_out_of_every_chunk(size: int, spaced: bool) -> None:
    chunks = [_chunk({"content": "a"}), _chunk({"content": "b"}), _chunk({}, "stop")]
    with_usage = b"".join(_event(c | {"usage": None}, spaced=spaced) for c in chunks)
    without = b"".join(_event(c, spaced=spaced) for c in chunks)

    hidden, _ = _fed(with_usage, size)
    shown, _ = _fed(with_usage, size, shows_usage=True)

    assert hidden == without
    assert shown == with_usage


def test_usage_that_was_asked_for_is_held_until_its_cost_is_known() -> None:
    passed, scanner = _fed(PLAIN + FIGURE + DONE, 10_000, shows_usage=True)

    assert passed == PLAIN
    assert json.loads(scanner.usage or b"") == USAGE
    assert b"data: " + scanner.last + b"\n\n" == FIGURE


def test_usage_beside_a_choice_is_held_and_the_choice_says_it_has_none() -> None:
    last = _event(_chunk({}, "stop", usage=USAGE))

    passed, scanner = _fed(OPENING + WORDS[0] + last + DONE, 10_000, shows_usage=True)

    assert passed == OPENING + WORDS[0] + _event(_chunk({}, "stop", usage=None))
    assert json.loads(scanner.usage or b"") == USAGE


def test_usage_beside_a_choice_is_taken_out_and_the_choice_kept() -> None:
    last = _event(_chunk({}, "stop", usage=USAGE))

    passed, scanner = _fed(OPENING + WORDS[0] + last + DONE, 10_000)

    assert passed == OPENING + WORDS[0] + STOP
    assert json.loads(scanner.usage or b"") == USAGE


def test_a_figure_in_every_chunk_counts_once_the_last() -> None:
    chunks = [_chunk({"content": "a"}, usage=USAGE | {"completion_tokens": n}) for n in range(4)]

    passed, scanner = _fed(b"".join(map(_event, chunks)), 10_000)

    assert b"usage" not in passed
    assert scanner.events == 4
    assert json.loads(scanner.usage or b"")["completion_tokens"] == 3


@pytest.mark.parametrize(
    "content",
    ['"usage":null', ',"usage":null}', '"error":', "data: [DONE]\n\n", '"finish_reason":"stop"'],
)
@pytest.mark.parametrize("size", [1, 9, 10_000])
def test_words_of_the_answer_are_not_mistaken_for_its_frame(content: str, size: int) -> None:
    events = b"".join(
        _event(_chunk({"content": text}, usage=None)) for text in ("a", content, "error", "usage")
    )

    passed, scanner = _fed(events, size)

    said = [json.loads(event[6:]) for event in passed.split(b"\n\n") if event]
    texts = [one["choices"][0]["delta"]["content"] for one in said]
    assert texts == ["a", content, "error", "usage"]
    assert (scanner.failure, scanner.done, scanner.finished) == (None, False, False)


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize(
    ("bad", "failure", "words"),
    [
        (b'data: {"choices": [{"delta"\n\n', "sent an event that is not a chunk", ""),
        (b"data: [1]\n\n", "sent an event that is not a chunk", ""),
        (b"data: \xff\n\n", "sent an event that is not a chunk", ""),
        (b'data: {"error":{"message":"Overloaded."}}\n\n', "reported an error", "Overloaded."),
        (b'data: {"error":"Overloaded."}\n\n', "reported an error", "Overloaded."),
        (b'event: error\ndata: {"message":"Gone."}\n\n', "reported an error", "Gone."),
        (b"event: error\ndata: oops\n\n", "reported an error", ""),
    ],
)
def test_nothing_is_passed_on_from_a_failure_on(
    bad: bytes, failure: str, words: str, size: int
) -> None:
    passed, scanner = _fed(OPENING + WORDS[0] + bad + WORDS[1] + DONE, size)

    assert passed.startswith(OPENING + WORDS[0])
    assert bad not in passed
    assert (scanner.failure or "").startswith(failure)
    assert scanner.words == words
    assert not scanner.whole


def test_comments_and_multi_line_events_pass() -> None:
    odd = (
        b": PROCESSING\n\n"
        b'data: {"id":"x","choices":[{"index":0,\ndata: "delta":{"content":"a"}}]}\n\n'
        b'data:{"choices":[{"delta":{"content":"b"}}]}\n\n'
        b'id: 7\ndata: {"choices":[{"delta":{"content":"c"}}]}\n\n'
    )

    passed, scanner = _fed(odd, 10_000)

    assert passed == odd
    assert scanner.events == 3


@pytest.mark.parametrize(
    ("stream", "started", "whole"),
    [
        (b"", False, False),
        (OPENING, False, False),
        (OPENING + WORDS[0], True, False),
        (OPENING + WORDS[0] + STOP, True, True),
        (OPENING + WORDS[0] + DONE, True, True),
        (DONE, False, False),
        (STOP, True, True),
    ],
)
def test_an_answer_is_whole_by_its_finish_reason_or_terminal_event(
    stream: bytes, started: bool, whole: bool
) -> None:
    _, scanner = _fed(stream, 10_000)

    assert (scanner.started, scanner.whole) == (started, whole)


def test_chunks_of_many_tokens_are_estimated_by_their_length() -> None:
    events = b"".join(_event(_chunk({"content": "y" * 400})) for _ in range(10))

    _, scanner = _fed(events, 10_000)

    assert scanner.output_estimate == 1000


def test_of_several_choices_each_must_have_ended() -> None:
    scanner = Scanner(shows_usage=False, choices=2)
    ended = [{"index": index, "delta": {}, "finish_reason": "stop"} for index in range(2)]

    scanner.feed(_event({"choices": ended[:1]}))
    halfway = scanner.whole
    scanner.feed(_event({"choices": ended[1:]}))

    assert (halfway, scanner.whole) == (False, True)
