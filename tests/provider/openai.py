"""OpenAI's chat completions, as the fake provider speaks them; no input or output here."""

from typing import Any

from tests.provider.encoding import encode, event
from tests.provider.script import ABSURD, ARGUMENTS, CREATED, Asked, Script

terminal = b"data: [DONE]\n\n"
_TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error"}


def asked(path: str, body: Any) -> Asked | None:
    well_formed = (
        isinstance(body, dict)
        and isinstance(body.get("model"), str)
        and isinstance(body.get("messages"), list)
        and all(isinstance(message, dict) for message in body["messages"])
        and body.get("n", 1) == 1
    )
    if not well_formed:
        return None
    options = body.get("stream_options") or {}
    return Asked(
        body,
        body["model"],
        bool(body.get("stream")),
        [(str(message.get("role")), _text(message)) for message in body["messages"]],
        [tool["function"]["name"] for tool in body.get("tools") or []],
        body.get("max_completion_tokens") or body.get("max_tokens"),
        options.get("include_usage") is True,
    )


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def error(status: int, message: str, code: str | None = None, param: str | None = None) -> Any:
    kind = _TYPES.get(status, "rate_limit_exceeded" if status == 429 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def refusal(kind: str) -> tuple[int, Any]:
    if kind == "contextlength":
        text = "This model's maximum context length is 8 tokens."
        return 400, error(400, text, "context_length_exceeded", "messages")
    return 400, error(400, "The prompt was filtered.", "content_filter", "prompt")


def failed() -> bytes:
    return event(error(500, "Injected failure.", "server_error"))


def answer(number: int, asked: Asked, script: Script) -> "_Answer":
    return _Answer(number, asked, script)


class _Answer:
    def __init__(self, number: int, asked: Asked, script: Script) -> None:
        self._head = {"id": f"chatcmpl-fake-{number}", "created": CREATED, "model": asked.model}
        self._script = script
        self._finish = "length" if script.cut_short else "stop"
        if script.tools:
            self._finish = "tool_calls"
        self._with_usage = asked.with_usage and script.reports
        reports = script.reports and (asked.with_usage or not asked.stream)
        self.usage = _usage(script) if reports else None

    def whole(self) -> bytes:
        script = self._script
        message: dict[str, Any] = {"role": "assistant", "content": "".join(script.words)}
        if script.tools:
            message["content"] = None
            message["tool_calls"] = [
                _call(number, name, "".join(ARGUMENTS)) for number, name in enumerate(script.tools)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
        answer = {**self._head, "object": "chat.completion", "choices": [choice]}
        return encode(answer if self.usage is None else answer | {"usage": self.usage})

    def opening(self) -> bytes:
        if self._script.tools:
            return self._called(0, {"role": "assistant", "content": None})
        return self._chunk({"role": "assistant", "content": ""}, None)

    def contents(self) -> list[bytes]:
        return [self._content(*numbered) for numbered in enumerate(self._script.words)]

    def closing(self) -> bytes:
        closing = self._chunk({}, self._finish)
        if not self._with_usage:
            return closing
        last = {**self._head, "object": "chat.completion.chunk", "choices": []}
        return closing + event(last | {"usage": self.usage})

    def _content(self, number: int, word: str) -> bytes:
        if not self._script.tools:
            return self._chunk({"content": word}, None)
        tool, place = divmod(number, len(ARGUMENTS))
        announced = self._called(tool, {}) if tool and not place else b""
        part = {"index": tool, "function": {"arguments": word}}
        return announced + self._chunk({"tool_calls": [part]}, None)

    def _called(self, tool: int, delta: dict[str, Any]) -> bytes:
        call = {"index": tool, **_call(tool, self._script.tools[tool], "")}
        return self._chunk(delta | {"tool_calls": [call]}, None)

    def _chunk(self, delta: Any, finish: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = {**self._head, "object": "chat.completion.chunk", "choices": [choice]}
        return event(chunk | {"usage": None} if self._with_usage else chunk)


def _call(number: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_fake{number}", "type": "function", "function": function}


def _usage(script: Script) -> dict[str, Any]:
    if script.absurd:
        return {"prompt_tokens": ABSURD[0], "completion_tokens": ABSURD[1], "total_tokens": 7}
    written = {"cache_write_tokens": script.written} if script.written else {}
    return {
        "prompt_tokens": script.input,
        "completion_tokens": script.output,
        "total_tokens": script.input + script.output,
        "prompt_tokens_details": {"cached_tokens": script.cached, **written},
        "completion_tokens_details": {"reasoning_tokens": script.reasoning},
    }
