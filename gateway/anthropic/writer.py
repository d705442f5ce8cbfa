"""A stream in OpenAI's shape as Anthropic's events."""

from typing import Any

import msgspec

from gateway.adapter.events import Events
from gateway.anthropic.answer import made_id, reason, text_of, tool_use
from gateway.anthropic.blocks import UNSIGNED
from gateway.anthropic.usage import told
from gateway.bill import Bill
from gateway.continuation import Beginning, Sent
from gateway.stream import Scanner

HEARTBEAT = b'event: ping\ndata: {"type":"ping"}\n\n'
_encode = msgspec.json.Encoder().encode


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    delta: dict[str, Any] | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    id: Any = ""
    model: Any = ""
    choices: list[_Choice] | None = None


_chunk = msgspec.json.Decoder(_Chunk)


def event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode({"type": kind, **fields}))


class Writer:
    """`input_tokens` is our count, told before the provider's is known. `thinks`: the caller asked
    for thoughts. One block is open at a time; parts of a call that come late go to its block."""

    __slots__ = (
        "_begun",
        "_blocks",
        "_calls",
        "_events",
        "_finish",
        "_input_tokens",
        "_open",
        "_sent",
        "_thinks",
        "heartbeat",
    )

    def __init__(self, input_tokens: int, *, thinks: bool) -> None:
        self.heartbeat = HEARTBEAT
        self._input_tokens = input_tokens
        self._thinks = thinks
        self._events = Events()
        self._sent = Sent()
        self._begun = False
        self._blocks = 0
        self._open = ""
        self._calls: dict[int, int] = {}
        self._finish: str | None = None

    @classmethod
    def within_text(cls, block: int) -> "Writer":
        """Of a message that has begun, and whose text is being told in this block."""
        made = cls(0, thinks=False)
        made._begun, made._blocks, made._open = True, block + 1, "text"
        return made

    def write(self, events: bytes) -> bytes:
        self._sent.add(events)
        return b"".join([self._written(payload) for payload in self._events.feed(events)])

    def finish(self, scanner: Scanner, bill: Bill) -> bytes:
        ended = {
            "stop_reason": reason(self._finish, called=bool(self._calls)),
            "stop_sequence": None,
        }
        return b"".join(
            (
                self._close(),
                event("message_delta", delta=ended, usage=told(bill)),
                event("message_stop"),
            )
        )

    def said(self) -> bytes | None:
        return self._sent.said()

    def beginning(self) -> Beginning | None:
        return self._sent.beginning()

    def going_on(self) -> "Writer":
        return self

    def _written(self, payload: bytes) -> bytes:
        chunk = _chunk.decode(payload)
        written = [] if self._begun else [self._begin(chunk)]
        for choice in chunk.choices or ():
            written.append(self._delta(choice.delta or {}))
            self._finish = choice.finish_reason or self._finish
        return b"".join(written)

    def _begin(self, chunk: _Chunk) -> bytes:
        self._begun = True
        message: dict[str, Any] = {
            "id": text_of(chunk.id) or made_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": text_of(chunk.model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": self._input_tokens, "output_tokens": 0},
        }
        return event("message_start", message=message)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        written = []
        thought = text_of(delta.get("reasoning_content") or delta.get("reasoning"))
        if thought and self._thinks:
            block = {"type": "thinking", "thinking": "", "signature": ""}
            written.append(self._in("thinking", block))
            written.append(self._said(type="thinking_delta", thinking=thought))
        if text := text_of(delta.get("content")) or text_of(delta.get("refusal")):
            written.append(self._in("text", {"type": "text", "text": ""}))
            written.append(self._said(type="text_delta", text=text))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                written.append(self._call(call))
        return b"".join(written)

    def _in(self, kind: str, block: dict[str, Any]) -> bytes:
        """Sees to it that a block of this kind is open."""
        if self._open == kind:
            return b""
        closed = self._close()
        self._open = kind
        self._blocks += 1
        start = event("content_block_start", index=self._blocks - 1, content_block=block)
        return closed + start

    def _said(self, **delta: Any) -> bytes:
        return event("content_block_delta", index=self._blocks - 1, delta=delta)

    def _call(self, call: dict[str, Any]) -> bytes:
        number = call.get("index")
        number = number if isinstance(number, int) else len(self._calls)
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        opened = b""
        if number not in self._calls:
            block = tool_use(
                text_of(call.get("id")), text_of(function.get("name")), call.get("extra_content")
            )
            opened = self._in(f"tool {number}", block)
            self._calls[number] = self._blocks - 1
        arguments = text_of(function.get("arguments"))
        if not arguments:
            return opened
        said = {"type": "input_json_delta", "partial_json": arguments}
        return opened + event("content_block_delta", index=self._calls[number], delta=said)

    def _close(self) -> bytes:
        if not self._open:
            return b""
        signed = b""
        if self._open == "thinking":
            signed = self._said(type="signature_delta", signature=UNSIGNED)
        self._open = ""
        return signed + event("content_block_stop", index=self._blocks - 1)
