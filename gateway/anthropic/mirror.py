"""Anthropic's own stream for a caller who speaks it: events as they came, read on the way."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.adapter.base import Translate
from gateway.adapter.events import Frames, payload
from gateway.adapter.openai import MOST_TOKENS
from gateway.anthropic.usage import costed
from gateway.anthropic.writer import HEARTBEAT, Writer, event
from gateway.bill import Bill
from gateway.continuation import Beginning, Sent
from gateway.stream import Scanner

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class _Block(msgspec.Struct, frozen=True):
    type: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    content_block: _Block = _Block()


class _Figures(msgspec.Struct):
    input_tokens: Any = 0
    output_tokens: Any = 0


class _Message(msgspec.Struct, frozen=True):
    usage: _Figures | None = None


class _Start(msgspec.Struct):
    message: _Message = _Message()


_event = msgspec.json.Decoder(_Event)
_start = msgspec.json.Decoder(_Start)


class Mirror(Scanner):
    """A scanner by what events mean in OpenAI's words. `closing` is the last that tells usage:
    it is held until its cost is known. `sent` has what was passed on in OpenAI's words, `blocks`
    what kinds of blocks have begun, and `open` the number of the one that has not ended."""

    __slots__ = ("_frames", "blocks", "closing", "open", "sent")

    def __init__(self, translate: Translate) -> None:
        super().__init__(shows_usage=False, translate=translate)
        self._frames = Frames()
        self.sent = Sent()
        self.blocks: list[str] = []
        self.open: int | None = None
        self.closing: bytes | None = None

    def feed(self, piece: bytes) -> bytes:
        passed = []
        for frame in self._frames.feed(piece):
            self.sent.add(super().feed(frame + b"\n\n"))
            if self.done or self.failure is not None:
                break
            passed.append(self._passed(frame))
        if self._frames.overlong:
            self.failure = "sent an event without end"
        return b"".join(passed)

    def _passed(self, frame: bytes) -> bytes:
        said, kind = payload(frame), ""
        try:
            kind = self._kind(_event.decode(said)) if said else ""
            if kind == "message_delta":
                earlier, self.closing = self.closing, said
                return b"" if earlier is None else _framed("message_delta", _fields.decode(earlier))
            if kind == "message_start" and not _possible(_start.decode(said).message.usage):
                return _framed("message_start", _without_figures(said))
        except msgspec.DecodeError:
            self.failure = "sent an event that is not a chunk of an answer"
            return b""
        if kind and b"event:" not in frame.partition(b"data:")[0]:
            # Clients go by the name, and would leave out what has none.
            return _framed(kind, _fields.decode(said))
        return frame + b"\n\n"

    def _kind(self, event: _Event) -> str:
        if event.type == "content_block_start":
            self.blocks.append(event.content_block.type)
            self.open = event.index
        elif event.type == "content_block_stop":
            self.open = None
        return event.type


class MirrorWriter:
    """What the mirror passed on is what the client is sent; the end is told with its cost."""

    __slots__ = ("_mirror", "heartbeat")

    def __init__(self, mirror: Mirror) -> None:
        self.heartbeat = HEARTBEAT
        self._mirror = mirror

    def write(self, events: bytes) -> bytes:
        return events

    def finish(self, scanner: Scanner, bill: Bill) -> bytes:
        last: Mapping[str, Any] = _fields.decode(self._mirror.closing or b"{}")
        ended = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, **last}
        usage = last.get("usage")
        figures = None if usage is None else _fields.decode(usage)
        closing = ended | {"type": "message_delta", "usage": costed(figures, bill)}
        return _framed("message_delta", closing) + event("message_stop")

    def said(self) -> bytes | None:
        return self._mirror.sent.said()

    def beginning(self) -> Beginning | None:
        """Only of a message that is one block of text, while that is open."""
        mirror = self._mirror
        alone = mirror.blocks == ["text"] and mirror.open is not None
        return mirror.sent.beginning() if alone else None

    def going_on(self) -> Writer:
        return Writer.within_text(self._mirror.open or 0)


def _framed(kind: str, fields: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode(fields))


def _possible(figures: _Figures | None) -> bool:
    """Whether clients can go on from these: they add to them."""
    return figures is not None and all(
        isinstance(count, int) and 0 <= count <= MOST_TOKENS
        for count in (figures.input_tokens, figures.output_tokens)
    )


def _without_figures(start: bytes) -> Mapping[str, Any]:
    fields = _fields.decode(start)
    nothing = {"input_tokens": 0, "output_tokens": 0}
    message = _fields.decode(fields["message"]) | {"usage": msgspec.Raw(_encode(nothing))}
    return {**fields, "message": message}
