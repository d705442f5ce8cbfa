"""What an answer says, to count it where its provider did not: the same, streamed or whole."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.adapter.events import Events

_SPOKEN = (("content",), ("refusal",), ("reasoning_content", "reasoning"))
"""Parts of a message that are text, each under the first of its names that is there."""

Message = dict[str, Any]


class _Choice(msgspec.Struct):
    index: int = 0
    message: Message | None = None
    delta: Message | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] | None = None


_answer = msgspec.json.Decoder(_Answer)


def words(answer: bytes) -> bytes:
    """Of a whole answer; empty when it cannot be read."""
    try:
        said = _answer.decode(answer).choices or ()
    except (msgspec.DecodeError, RecursionError):
        return b""
    return _joined([choice.message or {}] for choice in said)


def words_of(events: bytes) -> bytes:
    """Of a stream, of which these are all events; those that cannot be read say nothing."""
    deltas: dict[int, list[Message]] = {}
    for payload in Events().feed(events):
        try:
            said = _answer.decode(payload).choices or ()
        except (msgspec.DecodeError, RecursionError):
            continue
        for choice in said:
            deltas.setdefault(choice.index, []).append(choice.delta or {})
    return _joined(deltas[index] for index in sorted(deltas))


def _joined(choices: Iterable[list[Message]]) -> bytes:
    return "\n".join(part for said in choices for part in _parts(said) if part).encode(
        errors="replace"
    )


def _parts(said: list[Message]) -> Iterable[str]:
    """Each part of one answer in full; `said` is its message, or all of its deltas."""
    for names in _SPOKEN:
        yield "".join(_text(next((m[name] for name in names if m.get(name)), "")) for m in said)
    calls: dict[int, list[str]] = {}
    for message in said:
        listed = message.get("tool_calls")
        for position, call in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(call, Mapping):
                number = call.get("index")
                place = number if isinstance(number, int) else position
                calls.setdefault(place, []).append(_called(call.get("function")))
    for number in sorted(calls):
        yield "".join(calls[number])


def _called(function: Any) -> str:
    """The name, on a line of its own, and the arguments."""
    if not isinstance(function, Mapping):
        return ""
    name = _text(function.get("name"))
    return (f"{name}\n" if name else "") + _text(function.get("arguments"))


def _text(said: Any) -> str:
    """Text, or the text of parts."""
    if isinstance(said, list):
        return "".join(_text(part.get("text")) for part in said if isinstance(part, Mapping))
    return said if isinstance(said, str) else ""
