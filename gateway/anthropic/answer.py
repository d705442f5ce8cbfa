"""An answer in OpenAI's shape as one of Anthropic's messages, whole."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.anthropic.blocks import UNSIGNED
from gateway.anthropic.usage import told
from gateway.bill import Bill

REASONS: Mapping[str | None, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode

Block = dict[str, Any]


class _Function(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str | None = None


class _Call(msgspec.Struct):
    id: str | None = None
    function: _Function = _Function()
    extra_content: Any = None


class _Message(msgspec.Struct, frozen=True):
    content: Any = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Message = _Message()
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] = []
    id: str = ""
    model: str = ""


_completion = msgspec.json.Decoder(_Completion)


def message(answer: bytes, bill: Bill, *, thinks: bool) -> bytes:
    """Of an answer that is readable. `thinks`: the caller asked for thoughts."""
    said = _completion.decode(answer)
    choice = said.choices[0] if said.choices else _Choice()
    content = _content(choice.message, thinks=thinks)
    called = any(block["type"] == "tool_use" for block in content)
    return _encode(
        {
            "id": said.id or made_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": said.model,
            "content": content,
            "stop_reason": reason(choice.finish_reason, called=called),
            "stop_sequence": None,
            "usage": told(bill),
        }
    )


def is_readable(answer: bytes) -> bool:
    try:
        _completion.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _content(message: _Message, *, thinks: bool) -> list[Block]:
    content: list[Block] = []
    thought = text_of(message.reasoning_content or message.reasoning)
    if thought and thinks:
        content.append({"type": "thinking", "thinking": thought, "signature": UNSIGNED})
    if text := text_of(message.content) or message.refusal:
        content.append({"type": "text", "text": text})
    for call in message.tool_calls or ():
        block = tool_use(call.id, call.function.name, call.extra_content)
        content.append(block | {"input": _input(call.function.arguments or "")})
    return content


def tool_use(id: str | None, name: str, extra: Any = None) -> Block:
    """A call whose input is still to come. `extra` has to come back with it."""
    block: Block = {"type": "tool_use", "id": id or made_id("toolu"), "name": name, "input": {}}
    return block | ({"extra_content": extra} if extra else {})


def _input(arguments: str) -> Any:
    """An object; what a model left unfinished is its member."""
    if not arguments.strip():
        return {}
    try:
        _fields.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {"unfinished": arguments}
    return msgspec.Raw(arguments.encode())


def text_of(said: Any) -> str:
    """Text, or the text of parts."""
    if isinstance(said, list):
        return "".join(text_of(part.get("text")) for part in said if isinstance(part, dict))
    return said if isinstance(said, str) else ""


def reason(finish: str | None, *, called: bool) -> str:
    """Why the answer ended. Some say `stop` where tools are called."""
    ended = REASONS.get(finish, "end_turn")
    return "tool_use" if called and ended == "end_turn" else ended


def made_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"
