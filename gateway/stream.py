"""Reads an upstream's event stream as it passes: whole events out, usage and failures noticed.

Bytes are passed on untouched, save for figures of usage: they are told at the end, once, with
their cost. Most chunks are only looked at with searches over bytes; an event is decoded when it
may end, fail or bill the answer.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

MOST_HELD = 16 * 1024 * 1024
"""Bytes of one event; a longer one is no event."""
LONGEST_WORDS = 300
_FEW_BYTES = 12
"""Text bytes a chunk holds on average where a provider sends each token by itself."""
_BYTES_PER_TOKEN = 4
_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_USAGE = b',"usage":null'
_NULL_USAGE = re.compile(rb',\s*"usage"\s*:\s*null')


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: dict[str, Any] | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Said(msgspec.Struct):
    message: str = ""


_chunk = msgspec.json.Decoder(_Chunk)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_said = msgspec.json.Decoder(_Said | str)
_NULL = msgspec.Raw(b"null")


class Scanner:
    """`feed` it what arrives; then look at what it found. `choices` is how many were asked for.

    `started`: something of the answer came. `finished`: every choice has its finish reason.
    `done`: the terminal event came. `failure`: why this cannot become a whole answer, None while
    it can; `words` is what the upstream says of it, and `error` the whole of it, raw. `usage` is
    the last figure, raw, and `last` the last chunk that was decoded. `events` counts those with
    content, `counted` how many of them had come by that figure. `translate` makes OpenAI's events
    of an upstream's own. `shows_usage`: chunks may say that they have no figure.
    `careful`: every event is decoded, for readers after this one.
    """

    __slots__ = (
        "_careful",
        "_choices",
        "_ended",
        "_frame",
        "_shows_usage",
        "_size",
        "_tail",
        "_translate",
        "counted",
        "done",
        "error",
        "events",
        "failure",
        "finished",
        "last",
        "started",
        "usage",
        "words",
    )

    def __init__(
        self,
        *,
        shows_usage: bool,
        choices: int = 1,
        translate: Callable[[bytes], bytes] | None = None,
        careful: bool = False,
    ) -> None:
        self._translate = translate
        self._careful = careful
        self._shows_usage = shows_usage
        self._choices = choices
        self._ended: set[int] = set()
        self._tail = b""
        self._size = self._frame = 0
        self.events = self.counted = 0
        self.started = self.finished = self.done = False
        self.failure: str | None = None
        self.words = ""
        self.error = b""
        self.usage: bytes | None = None
        self.last = b"{}"

    def feed(self, piece: bytes) -> bytes:
        """The whole events that may be passed on: before a failure or the terminal event."""
        if self._translate is not None:
            piece = self._translate(piece)
        data = self._tail + piece if self._tail else piece
        if data.endswith(b"\n\n"):
            self._tail = b""
        else:
            end = _end_of_events(data)
            self._tail = data[end:]
            data = data[:end]
            if len(self._tail) > MOST_HELD:
                self.failure = "sent an event without end"
        if not data:
            return b""
        if self.started and not self._careful:
            count = _plain_events(data)
            if count and (passed := self._quietly(data, count)):
                self.events += count
                self._size += len(passed)
                return passed
        return self._each(data)

    def _quietly(self, data: bytes, count: int) -> bytes:
        """`count` plain events as they are passed on; nothing when one of them has a figure."""
        if b'"usage"' not in data:
            return data
        if self._shows_usage:
            return data if data.count(b'"usage":') == data.count(b'"usage":null') else b""
        bare = data.replace(_USAGE, b"")
        return bare if len(data) - len(bare) == count * len(_USAGE) else b""

    @property
    def whole(self) -> bool:
        """Whether the answer is complete, once the upstream has nothing more to say.

        Some providers never send the terminal event: a finish reason and a clean end do.
        """
        return self.failure is None and self.started and (self.done or self.finished)

    @property
    def output_estimate(self) -> int:
        """Tokens of what was passed on, when the provider sent no figure."""
        return tokens_in(self.events, max(self._size - self.events * self._frame, 0))

    def _each(self, data: bytes) -> bytes:
        passed = []
        start = 0
        for boundary in _BOUNDARY.finditer(data):
            passed.append(self._event(data[start : boundary.end()]))
            start = boundary.end()
            if self.done or self.failure is not None:
                break
        return b"".join(passed)

    def _event(self, event: bytes) -> bytes:
        lines = [line.split(b":", 1) for line in event.splitlines()]
        values = [line[1].removeprefix(b" ") for line in lines if line[0] == b"data" and line[1:]]
        payload = b"\n".join(values)
        if not payload.strip():
            # Comments only: clients take an event without data for one that is empty.
            return event if all(line[0] == b"" for line in lines) else b""
        if payload.strip() == b"[DONE]":
            self.done = True
            return b""
        if [b"event", b" error"] in lines or [b"event", b"error"] in lines:
            return self._failed(payload)
        try:
            chunk = _chunk.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            self.failure = "sent an event that is not a chunk of an answer"
            return b""
        if chunk.error != _NULL:
            return self._failed(bytes(chunk.error))
        self.last = payload
        self._count(chunk, event)
        return self._without_usage(chunk, event, payload)

    def _failed(self, error: bytes) -> bytes:
        self.failure = "reported an error"
        self.words = _words(error)
        self.error = error
        return b""

    def _count(self, chunk: _Chunk, event: bytes) -> None:
        text = 0
        content = False
        for choice in chunk.choices or ():
            if choice.finish_reason:
                self._ended.add(choice.index)
            for name, value in (choice.delta or {}).items():
                if value and name != "role":
                    content = True
                    text += (
                        len(value) if isinstance(value, str) else len(msgspec.json.encode(value))
                    )
        self.finished = len(self._ended) >= self._choices
        self.started |= content or bool(self._ended)
        if content:
            self._frame = self._frame or max(len(event) - text, 0)
            self.events += 1
            self._size += len(event)

    def _without_usage(self, chunk: _Chunk, event: bytes, payload: bytes) -> bytes:
        """Takes the figure out."""
        figure = bytes(chunk.usage)
        if figure != b"null":
            self.usage, self.counted = figure, self.events
            if not chunk.choices:
                return b""
        elif self._shows_usage or b'"usage"' not in payload:
            return event
        fields = _fields.decode(payload)
        if fields.pop("usage", None) is None:
            return event
        if self._shows_usage:
            return b"data: " + msgspec.json.encode(fields | {"usage": None}) + b"\n\n"
        if figure == b"null" and payload in event:
            return event.replace(payload, _NULL_USAGE.sub(b"", payload))
        return b"data: " + msgspec.json.encode(fields) + b"\n\n"


def tokens_in(events: int, text: int) -> int:
    """About, of so many events with so many bytes of text."""
    return events if text <= events * _FEW_BYTES else text // _BYTES_PER_TOKEN


def _end_of_events(data: bytes) -> int:
    """Where the last whole event ends; 0 when there is none."""
    end = data.rfind(b"\n\n") + 2
    if b"\r" in data:
        end = max(end, data.rfind(b"\r\n\r\n") + 4, data.rfind(b"\r\r") + 2)
        # rfind gives -1 for none: 1 or 3 is then no end.
        return end if end > 4 or _BOUNDARY.match(data) else 0
    return end if end > 1 else 0


def _plain_events(block: bytes) -> int:
    """How many one-line events these are, when none can end or fail anything; else 0."""
    count = block.count(b"}\n\ndata: {") + 1
    plain = (
        block.startswith(b"data: {")
        and block.endswith(b"}\n\n")
        and block.count(b"\n") == 2 * count
        and block.count(b'"finish_reason":null') == count
        and b'"error":' not in block
    )
    return count if plain else 0


def _words(error: bytes) -> str:
    """An upstream's own words, cut; empty when there are none."""
    try:
        said = _said.decode(error)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return (said if isinstance(said, str) else said.message)[:LONGEST_WORDS]
