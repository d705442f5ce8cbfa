"""Goes on with a stream that broke off from another provider's, so that its client sees one."""

from typing import Any

import msgspec

from gateway.adapter.events import Events
from gateway.openai.words import words_of
from gateway.stream import tokens_in

LONGEST = 1024 * 1024
"""Bytes of a stream that may be continued."""
_THOUGHTS = frozenset({"role", "reasoning", "reasoning_content", "reasoning_details"})

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class Mismatch(Exception):
    """The other answer does not begin with what was sent."""


class Beginning(msgspec.Struct, frozen=True):
    """`text` was sent. `head` is what every chunk of one answer says alike."""

    text: str
    head: dict[str, Any]

    @property
    def tokens(self) -> int:
        """About."""
        return tokens_in(0, len(self.text.encode()))


class Sent:
    """What was passed on of a stream, in OpenAI's words; looked at only when it breaks off, or
    when nobody says what it used."""

    __slots__ = ("_events", "_size")

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._size = 0

    def add(self, events: bytes) -> None:
        self._size += len(events)
        if self._size <= LONGEST:
            self._events.append(events)

    def said(self) -> bytes | None:
        """Its words; None when it is too long."""
        return words_of(b"".join(self._events)) if self._size <= LONGEST else None

    def beginning(self) -> Beginning | None:
        """None when it is too long, or anything but text was said, or all of it."""
        return _beginning(b"".join(self._events)) if self._size <= LONGEST else None


def _beginning(events: bytes) -> Beginning | None:
    text: list[str] = []
    head: dict[str, Any] = {}
    for payload in Events().feed(events):
        try:
            chunk = _decode(payload)
            choices = chunk.pop("choices", None) or []
            said = [choice.get("delta") or {} for choice in choices]
            ended = any(choice.get("finish_reason") for choice in choices)
        except (msgspec.DecodeError, RecursionError, AttributeError):
            return None
        head = head or {name: chunk[name] for name in _ALIKE if name in chunk}
        for delta in said:
            content = delta.pop("content", None)
            others = {name for name, value in delta.items() if value} - _THOUGHTS
            if ended or others or not isinstance(content, str | None):
                return None
            text.append(content or "")
    return Beginning("".join(text), head)


_ALIKE = ("id", "created", "model", "system_fingerprint")


class Joiner:
    """Makes the rest of one stream of another's events.

    `prefilled`: the other answer goes on where `beginning` ends, save for white space there;
    else it begins anew, and must say the same first. `tokens` is about what was passed on.
    """

    def __init__(self, beginning: Beginning, *, prefilled: bool) -> None:
        text = beginning.text
        self.head = beginning.head
        self._expected = "" if prefilled else text
        self._trimmed = prefilled and text != text.rstrip()
        self._events = self._size = 0

    @property
    def tokens(self) -> int:
        return tokens_in(self._events, self._size)

    def join(self, events: bytes) -> bytes:
        """Raises `Mismatch`."""
        return b"".join(map(self._event, Events().feed(events)))

    def _event(self, payload: bytes) -> bytes:
        chunk = _decode(payload)
        choices = chunk.get("choices") or []
        if not choices:
            return b""
        choice = choices[0]
        text = self._rest((choice.get("delta") or {}).get("content") or "")
        if choice.get("finish_reason") and self._expected:
            raise Mismatch
        if not text and not choice.get("finish_reason"):
            return b""
        if text:
            self._events += 1
            self._size += len(text.encode())
        said = {**choice, "delta": {"content": text} if text else {}}
        return b"data: " + _encode({**chunk, **self.head, "choices": [said]}) + b"\n\n"

    def _rest(self, text: str) -> str:
        if self._expected:
            both = min(len(text), len(self._expected))
            if text[:both] != self._expected[:both]:
                raise Mismatch
            self._expected, text = self._expected[both:], text[both:]
        if self._trimmed and text:
            text = text.lstrip()
            self._trimmed = not text
        return text


def under(head: dict[str, Any], chunk: bytes) -> bytes:
    """A chunk of another answer, as one of this."""
    return _encode({**_decode(chunk), **head}) if chunk else _encode(head)
