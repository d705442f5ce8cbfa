"""The bodies the fake provider sends, in OpenAI's shapes; no input or output here."""

import json
from collections.abc import Iterator
from typing import Any

from tests.provider.behaviour import Behaviour

CREATED = 1_700_000_000
"""Unix seconds: fixed, so that an answer is the same each time."""


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def event(value: Any) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> Any:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Answer:
    """One completion: its words, how it ends and what it costs, decided before the first byte."""

    def __init__(self, number: int, body: dict[str, Any], behaviour: Behaviour) -> None:
        self._head = {"id": f"chatcmpl-fake-{number}", "created": CREATED, "model": body["model"]}
        cap = body.get("max_completion_tokens") or body.get("max_tokens")
        words = _words(body, behaviour)
        self.tool = _tool(body) if behaviour.tools else None
        self.words = words if cap is None else words[:cap]
        self.finish = "length" if len(self.words) < len(words) else "stop"
        if self.tool:
            self.finish = "tool_calls"
        self.usage = _usage(body, behaviour, len(self.words), cap) if behaviour.usage else None

    def whole(self) -> bytes:
        """The answer of a request that does not stream."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.words)}
        if self.tool:
            call = {"name": self.tool, "arguments": "".join(self.words)}
            message["content"] = None
            message["tool_calls"] = [{"id": "call_fake", "type": "function", "function": call}]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish}
        answer = {**self._head, "object": "chat.completion", "choices": [choice]}
        return encode(answer if self.usage is None else answer | {"usage": self.usage})

    def opening(self, *, with_usage: bool) -> bytes:
        delta: dict[str, Any] = {"role": "assistant", "content": ""}
        if self.tool:
            call = {"name": self.tool, "arguments": ""}
            tool = {"index": 0, "id": "call_fake", "type": "function", "function": call}
            delta = {"role": "assistant", "content": None, "tool_calls": [tool]}
        return self._chunk(delta, None, with_usage)

    def contents(self, *, with_usage: bool) -> Iterator[bytes]:
        for word in self.words:
            delta: dict[str, Any] = {"content": word}
            if self.tool:
                delta = {"tool_calls": [{"index": 0, "function": {"arguments": word}}]}
            yield self._chunk(delta, None, with_usage)

    def closing(self, *, with_usage: bool) -> Iterator[bytes]:
        yield self._chunk({}, self.finish, with_usage)
        if with_usage and self.usage is not None:
            last = {**self._head, "object": "chat.completion.chunk", "choices": []}
            yield event(last | {"usage": self.usage})

    def _chunk(self, delta: Any, finish: str | None, with_usage: bool) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = {**self._head, "object": "chat.completion.chunk", "choices": [choice]}
        return event(chunk | {"usage": None} if with_usage else chunk)


def _words(body: dict[str, Any], behaviour: Behaviour) -> list[str]:
    if behaviour.tools:
        return ['{"', "city", '":"', "Bern", '"}']
    if behaviour.echo:
        said = [_text(m) for m in body["messages"] if m.get("role") == "user"]
        return [f"{word} " for word in (said[-1] if said else "").split()]
    return [f"word{number} " for number in range(behaviour.chunks)]


def _tool(body: dict[str, Any]) -> str:
    tools = body.get("tools") or [{"function": {"name": "weather"}}]
    return str(tools[0]["function"]["name"])


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def _usage(
    body: dict[str, Any], behaviour: Behaviour, words: int, cap: int | None
) -> dict[str, Any]:
    if behaviour.absurd:
        return {"prompt_tokens": -5, "completion_tokens": 10**15, "total_tokens": 7}
    counted = sum(len(_text(message).split()) for message in body["messages"])
    asked = counted if behaviour.input_tokens is None else behaviour.input_tokens
    given = words if behaviour.output_tokens is None else behaviour.output_tokens
    if cap is not None:
        given = min(given, cap)
    return {
        "prompt_tokens": asked,
        "completion_tokens": given,
        "total_tokens": asked + given,
        "prompt_tokens_details": {"cached_tokens": behaviour.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": behaviour.reasoning_tokens},
    }
