"""Anthropic's events as OpenAI's, as they come."""

from typing import Any

import msgspec

from domain.snapshot import Deployment
from gateway.adapter.anthropic.whole import FINISHES, Block, Error, Message, Usage, thought, within
from gateway.adapter.base import Translate
from gateway.adapter.chunks import Chunks, error_event
from gateway.adapter.events import NO_EVENT, Events
from gateway.openai.request import ChatRequest

DONE = b"data: [DONE]\n\n"


class _Delta(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: _Delta = _Delta()
    usage: Usage | None = None
    error: Error = Error()


_event = msgspec.json.Decoder(_Event)


def stream(deployment: Deployment, request: ChatRequest) -> Translate:
    return _Stream(deployment, request).feed


class _Stream:
    """`feed` it what arrives; an error before anything was said is raised, a later one an event."""

    __slots__ = ("_begun", "_block", "_calls", "_chunks", "_events", "_name", "_silent", "_usage")

    def __init__(self, deployment: Deployment, request: ChatRequest) -> None:
        self._events = Events()
        self._chunks = Chunks(shows_usage=request.shows_usage)
        self._name = deployment.name
        self._chunks.begin("", self._name)
        self._usage = Usage()
        self._block = ""
        self._calls = 0
        self._begun = self._silent = False

    def feed(self, piece: bytes) -> bytes:
        passed = b"".join([self._translated(payload) for payload in self._events.feed(piece)])
        return passed + NO_EVENT if self._events.overlong else passed

    def _translated(self, payload: bytes) -> bytes:
        try:
            event = _event.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            return NO_EVENT
        match event.type:
            case "content_block_delta":
                self._begun = True
                return self._delta(event.delta)
            case "content_block_start" if event.content_block is not None:
                self._begun = True
                return self._opened(event.content_block)
            case "content_block_stop":
                return self._closed()
            case "message_start" if event.message is not None:
                return self._started(event.message)
            case "message_delta":
                self._begun = True
                return self._ended(event)
            case "message_stop":
                return DONE
            case "error":
                if self._begun:
                    return error_event(event.error.message)
                raise within(event.error, payload)
        # A ping, or an event of a kind made later.
        return b""

    def _started(self, message: Message) -> bytes:
        self._chunks.begin(message.id, message.model or self._name)
        self._usage = message.usage or self._usage
        begun = self._chunks.delta({"role": "assistant", "content": ""})
        # What the prompt came to, should the answer break off before it tells all.
        figures = msgspec.structs.replace(self._usage, output_tokens=0).figures
        return begun if figures is None else begun + self._chunks.usage(figures)

    def _opened(self, block: Block) -> bytes:
        self._block = block.type
        if block.type == "tool_use":
            self._silent = True
            self._calls += 1
            function = {"name": block.name, "arguments": ""}
            return self._call({"id": block.id, "type": "function", "function": function})
        if block.type == "redacted_thinking":
            return self._chunks.delta({"thinking_blocks": [thought(block)]})
        return self._chunks.text(block.text) if block.type == "text" and block.text else b""

    def _delta(self, delta: _Delta) -> bytes:
        match delta.type:
            case "text_delta":
                return self._chunks.text(delta.text)
            case "input_json_delta" if delta.partial_json:
                self._silent = False
                return self._call({"function": {"arguments": delta.partial_json}})
            case "thinking_delta":
                return self._chunks.delta({"reasoning_content": delta.thinking})
            case "signature_delta":
                signed = {"type": "thinking", "signature": delta.signature}
                return self._chunks.delta({"thinking_blocks": [signed]})
        return b""

    def _closed(self) -> bytes:
        """A call without arguments has empty ones: nothing at all is no JSON."""
        silent, self._silent = self._silent, False
        block, self._block = self._block, ""
        if block == "tool_use" and silent:
            return self._call({"function": {"arguments": "{}"}})
        return b""

    def _ended(self, event: _Event) -> bytes:
        if event.usage is not None:
            self._usage = event.usage.over(self._usage)
        reason = event.delta.stop_reason
        if reason is None:
            return b""
        ended = self._chunks.finish(FINISHES.get(reason, "stop"))
        figures = self._usage.figures if event.usage is not None else None
        return ended if figures is None else ended + self._chunks.usage(figures)

    def _call(self, call: dict[str, Any]) -> bytes:
        return self._chunks.delta({"tool_calls": [{"index": self._calls - 1, **call}]})
