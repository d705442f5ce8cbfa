"""Anthropic's Messages API, as the fake provider speaks it; no input or output here."""

import json
from typing import Any

from tests.provider.encoding import encode, event
from tests.provider.script import ABSURD, ARGUMENTS, Asked, Script

terminal = event({"type": "message_stop"}, "message_stop")
SIGNATURE = "signed-by-the-fake"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_FIELDS = frozenset(
    [
        "cache_control",
        "container",
        "context_management",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    ]
)
_BLOCKS = frozenset(
    [
        "code_execution_tool_result",
        "compaction",
        "container_upload",
        "document",
        "image",
        "mcp_tool_result",
        "redacted_thinking",
        "search_result",
        "server_tool_use",
        "text",
        "text_editor_code_execution_tool_result",
        "thinking",
        "tool_result",
        "tool_search_tool_result",
        "tool_use",
        "web_fetch_tool_result",
        "web_search_tool_result",
    ]
)


def asked(path: str, body: Any) -> Asked | None:
    well_formed = (
        isinstance(body, dict)
        and isinstance(body.get("model"), str)
        and isinstance(body.get("max_tokens"), int)
        and isinstance(body.get("messages"), list)
        and bool(body["messages"])
        and all(_is_message(message) for message in body["messages"])
        and body.keys() <= _FIELDS
    )
    if not well_formed:
        return None
    said = [(message["role"], _text(message["content"])) for message in body["messages"]]
    return Asked(
        body,
        body["model"],
        bool(body.get("stream")),
        [("system", _text(body.get("system") or "")), *said],
        [tool["name"] for tool in body.get("tools") or []],
        body["max_tokens"],
    )


def _is_message(message: Any) -> bool:
    content = message.get("content")
    if message.get("role") not in ("user", "assistant") or not content:
        return False
    return isinstance(content, str) or all(
        block.get("type") in _BLOCKS and block.get("text") != "" for block in content
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(block["text"] for block in content if block["type"] == "text")


def error(status: int, message: str, code: str | None = None) -> Any:
    wrong = {"type": _TYPES.get(status, "api_error"), "message": message}
    return {"type": "error", "error": wrong, "request_id": "req_fake"}


def refusal(kind: str) -> tuple[int, Any]:
    if kind == "contextlength":
        return 400, error(400, "prompt is too long: 9 tokens > 8 maximum")
    return 400, error(400, "Output blocked by content filtering policy")


def failed() -> bytes:
    return event(error(529, "Overloaded"), "error")


def answer(number: int, asked: Asked, script: Script) -> "_Answer":
    return _Answer(number, asked, script)


class _Answer:
    def __init__(self, number: int, asked: Asked, script: Script) -> None:
        self._script = script
        self._finish = "max_tokens" if script.cut_short else "end_turn"
        if script.tools:
            self._finish = "tool_use"
        self.usage = _usage(script) if script.reports else None
        self._head = {
            "id": f"msg_fake{number}",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "stop_sequence": None,
        }

    def whole(self) -> bytes:
        script = self._script
        content: list[dict[str, Any]] = [{"type": "text", "text": "".join(script.words)}]
        if script.tools:
            content = [
                _call(number, name) | {"input": json.loads("".join(ARGUMENTS))}
                for number, name in enumerate(script.tools)
            ]
        if script.reasoning:
            thought = {"type": "thinking", "thinking": "Hm. ", "signature": SIGNATURE}
            content = [thought, *content]
        answer = {**self._head, "content": content, "stop_reason": self._finish}
        return encode(answer if self.usage is None else answer | {"usage": self.usage})

    def opening(self) -> bytes:
        message: dict[str, Any] = {**self._head, "content": [], "stop_reason": None}
        if self.usage is not None:
            message["usage"] = {**self.usage, "output_tokens": 1}
        started = event({"type": "message_start", "message": message}, "message_start")
        thought = b""
        if self._script.reasoning:
            thought = (
                _start(0, {"type": "thinking", "thinking": "", "signature": ""})
                + _delta(0, {"type": "thinking_delta", "thinking": "Hm. "})
                + _delta(0, {"type": "signature_delta", "signature": SIGNATURE})
                + _stop(0)
            )
        first: dict[str, Any] = {"type": "text", "text": ""}
        if self._script.tools:
            first = _call(0, self._script.tools[0])
        return started + thought + event({"type": "ping"}, "ping") + _start(self._index, first)

    def contents(self) -> list[bytes]:
        return [self._content(*numbered) for numbered in enumerate(self._script.words)]

    def closing(self) -> bytes:
        delta = {"stop_reason": self._finish, "stop_sequence": None}
        last: dict[str, Any] = {"type": "message_delta", "delta": delta}
        if self.usage is not None:
            told = ("output_tokens", "output_tokens_details", "server_tool_use")
            last["usage"] = {name: self.usage[name] for name in told if name in self.usage}
        calls = max(len(self._script.tools), 1)
        return _stop(self._index + calls - 1) + event(last, "message_delta")

    @property
    def _index(self) -> int:
        return 1 if self._script.reasoning else 0

    def _content(self, number: int, word: str) -> bytes:
        if not self._script.tools:
            return _delta(self._index, {"type": "text_delta", "text": word})
        tool, place = divmod(number, len(ARGUMENTS))
        index = self._index + tool
        announced = b""
        if tool and not place:
            announced = _stop(index - 1) + _start(index, _call(tool, self._script.tools[tool]))
        return announced + _delta(index, {"type": "input_json_delta", "partial_json": word})


def _call(number: int, name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_fake{number}", "name": name, "input": {}}


def _start(index: int, block: dict[str, Any]) -> bytes:
    value = {"type": "content_block_start", "index": index, "content_block": block}
    return event(value, "content_block_start")


def _delta(index: int, delta: dict[str, Any]) -> bytes:
    value = {"type": "content_block_delta", "index": index, "delta": delta}
    return event(value, "content_block_delta")


def _stop(index: int) -> bytes:
    return event({"type": "content_block_stop", "index": index}, "content_block_stop")


def _usage(script: Script) -> dict[str, Any]:
    """Its input leaves out what came from the cache or went there."""
    if script.absurd:
        return {"input_tokens": ABSURD[0], "output_tokens": ABSURD[1]}
    thought = {"thinking_tokens": script.reasoning}
    used = {"web_search_requests": script.searches, "web_fetch_requests": 0}
    kept = {
        "ephemeral_5m_input_tokens": script.written - script.hour,
        "ephemeral_1h_input_tokens": script.hour,
    }
    return {
        "input_tokens": script.input - script.cached - script.written,
        "cache_read_input_tokens": script.cached,
        "cache_creation_input_tokens": script.written,
        **({"cache_creation": kept} if script.hour else {}),
        "output_tokens": script.output,
        **({"output_tokens_details": thought} if script.reasoning else {}),
        **({"server_tool_use": used} if script.searches else {}),
    }
