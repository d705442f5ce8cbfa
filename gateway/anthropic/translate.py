"""A Messages request as a chat request in OpenAI's words, for providers of other formats."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from domain.errors import MalformedRequest
from domain.snapshot import Capability, Deployment, ProviderType
from gateway.adapter.base import unsupported
from gateway.anthropic.blocks import NONE, Asked, Block, Source, Tool, Turn, asked
from gateway.anthropic.request import VERSION, MessagesRequest
from gateway.failure import End, UpstreamFailure
from gateway.openai.request import ChatRequest, misshapen

LONGEST_NAME = 100
TAKEN = frozenset(
    {
        "max_tokens",
        "messages",
        "model",
        "output_config",
        "output_format",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
IGNORED = frozenset(
    {
        "cache_control",
        "context_management",
        "diagnostics",
        "metadata",
        "service_tier",
        "speed",
        "user_profile_id",
    }
)
"""Fields that change nothing of what is said."""
_DATED = re.compile(r"\d{4}-\d\d-\d\d")
_NOTHING = (NONE, msgspec.Raw(b"{}"), msgspec.Raw(b"[]"))
_EFFORTS: Mapping[str, str] = {"xhigh": "high", "max": "high"}
_CHOICES: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}
_BUDGETS = ((2048, "low"), (8192, "medium"))
"""Tokens to think in, and the effort that comes to; above the last it is high."""
_encode = msgspec.json.Encoder().encode

Message = dict[str, Any]


def ignored(request: MessagesRequest, deployment: Deployment) -> Sequence[str]:
    """By name, what asks for something that the provider is not told."""
    names = {
        name for name, value in request.fields.items() if name in IGNORED and value not in _NOTHING
    }
    if any(b'"cache_control"' in bytes(value) for value in request.fields.values()):
        names.add("cache_control")
    if "thinking" in request.fields and not _reasons(deployment):
        names.add("thinking")
    if request.betas is not None:
        names.add("anthropic-beta")
    return sorted(names)


def chat(request: MessagesRequest, deployment: Deployment) -> ChatRequest:
    """Raises `UpstreamFailure` UNSUPPORTED for what the provider's format cannot say."""
    if not _DATED.fullmatch(request.version) or request.version < VERSION:
        raise unsupported("anthropic-version", f": say {VERSION} or later")
    if request.max_tokens == 0:
        raise unsupported("max_tokens", " of 0")
    for name, value in request.fields.items():
        if name not in TAKEN and name not in IGNORED and value not in _NOTHING:
            raise unsupported(name[:LONGEST_NAME])
    try:
        said = asked.decode(_encode(request.fields))
    except (msgspec.DecodeError, RecursionError) as error:
        wrong = misshapen(str(error))
        words = f"cannot read this: {wrong.message.rstrip('.')}"
        raise UpstreamFailure(End.UNSUPPORTED, words, param=wrong.param) from None
    fields = {
        "model": request.model,
        "messages": [*_system(said), *_messages(said.messages, deployment)],
        "stream": request.stream or None,
        "stop": said.stop_sequences or None,
        "temperature": said.temperature,
        "top_p": said.top_p,
        "top_k": _top_k(said, deployment),
        _limit(deployment): said.max_tokens,
        "reasoning_effort": _effort(said) if _reasons(deployment) else None,
        "response_format": _form(said),
        **_tools(said),
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    try:
        return ChatRequest.decode(_encode(kept))
    except MalformedRequest as error:
        words = f"cannot be told this: {error.message.rstrip('.')}"
        raise UpstreamFailure(End.UNSUPPORTED, words, param=error.param) from None


def _reasons(deployment: Deployment) -> bool:
    return Capability.REASONING in deployment.capabilities


def _limit(deployment: Deployment) -> str:
    """OpenAI's newer models refuse the older name, others know no newer one."""
    newer = deployment.provider.type is ProviderType.OPENAI
    return "max_completion_tokens" if newer else "max_tokens"


def _top_k(said: Asked, deployment: Deployment) -> int | None:
    if said.top_k is not None and deployment.provider.type is ProviderType.OPENAI:
        raise unsupported("top_k")
    return said.top_k


def _effort(said: Asked) -> str | None:
    if not said.thinks and said.effort is None:
        return None
    if said.effort is not None:
        return _EFFORTS.get(said.effort, said.effort)
    budget = said.thinking.budget_tokens if said.thinking is not None else None
    if budget is None:
        return None
    return next((effort for most, effort in _BUDGETS if budget <= most), "high")


def _form(said: Asked) -> dict[str, Any] | None:
    wanted = said.wanted
    if wanted is None:
        return None
    if wanted.type != "json_schema":
        raise unsupported("output_config.format")
    schema = {"name": "answer", "schema": wanted.schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _tools(said: Asked) -> dict[str, Any]:
    if not said.tools:
        return {}
    choice = said.tool_choice
    more: dict[str, Any] = {}
    if choice is not None:
        if choice.type == "tool":
            more["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
        elif choice.type in _CHOICES:
            more["tool_choice"] = _CHOICES[choice.type]
        else:
            raise unsupported("tool_choice")
        if choice.disable_parallel_tool_use and choice.type != "none":
            more["parallel_tool_calls"] = False
    return {"tools": [_tool(*numbered) for numbered in enumerate(said.tools)], **more}


def _tool(number: int, tool: Tool) -> dict[str, Any]:
    if tool.type not in (None, "custom"):
        raise unsupported(f"tools[{number}].type", ": this tool is run by Anthropic")
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.input_schema != NONE:
        function["parameters"] = tool.input_schema
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _system(said: Asked) -> list[Message]:
    if not said.system:
        return []
    if isinstance(said.system, str):
        return [{"role": "system", "content": said.system}]
    parts = [_part(*numbered, "system") for numbered in enumerate(said.system)]
    return [{"role": "system", "content": parts}]


def _messages(turns: Sequence[Turn], deployment: Deployment) -> Iterator[Message]:
    if turns[-1].role == "assistant":
        why = ": it does not go on with an answer that has begun"
        raise unsupported(f"messages[{len(turns) - 1}].role", why)
    for number, turn in enumerate(turns):
        path = f"messages[{number}].content"
        if turn.role == "user":
            yield from _User(turn, path, deployment).messages()
        elif turn.role == "assistant":
            yield _assistant(turn, path)
        elif turn.role == "system":
            parts = [_part(*numbered, path) for numbered in enumerate(turn.blocks)]
            yield {"role": "system", "content": parts}
        else:
            raise unsupported(f"messages[{number}].role")


class _User:
    """A person's turn: results of tools come first, then what is said, and what results show."""

    def __init__(self, turn: Turn, path: str, deployment: Deployment) -> None:
        self._turn = turn
        self._path = path
        self._links = deployment.provider.type is ProviderType.GOOGLE
        self._results: list[Message] = []
        self._parts: list[dict[str, Any]] = []

    def messages(self) -> list[Message]:
        if isinstance(self._turn.content, str):
            return [{"role": "user", "content": self._turn.content}]
        for number, block in enumerate(self._turn.blocks):
            path = f"{self._path}[{number}]"
            if block.type == "tool_result":
                self._results.append(self._result(block, path))
            else:
                self._parts.append(self._shown(number, block, self._path))
        said = [{"role": "user", "content": self._parts}] if self._parts else []
        return [*self._results, *said]

    def _result(self, block: Block, path: str) -> Message:
        """Only text can be a result; what else it shows follows as the person's."""
        texts = []
        content = block.content or ""
        if isinstance(content, Block):
            raise unsupported(f"{path}.content")
        for number, inner in enumerate([] if isinstance(content, str) else content):
            if inner.type == "text":
                texts.append(inner.text)
            else:
                self._parts.append(self._shown(number, inner, f"{path}.content"))
        text = content if isinstance(content, str) else "\n".join(texts)
        failed = "Error: " if block.is_error else ""
        return {"role": "tool", "tool_call_id": block.tool_use_id, "content": failed + text}

    def _shown(self, number: int, block: Block, path: str) -> dict[str, Any]:
        source = block.source
        if block.type not in ("image", "document") or not isinstance(source, Source):
            return _part(number, block, path)
        place = f"{path}[{number}]"
        if not isinstance(block.citations, list) and block.citations and block.citations.enabled:
            raise unsupported(f"{place}.citations")
        if source.type == "base64":
            url = f"data:{source.media_type};base64,{source.data}"
        elif source.type == "url" and (block.type == "image" or self._links):
            url = source.url
        elif source.type == "text" and block.type == "document":
            return {"type": "text", "text": source.data}
        else:
            raise unsupported(f"{place}.source")
        if block.type == "image":
            return {"type": "image_url", "image_url": {"url": url}}
        return {"type": "file", "file": {"filename": block.title or "document", "file_data": url}}


def _part(number: int, block: Block, path: str) -> dict[str, Any]:
    if block.type != "text":
        raise unsupported(f"{path}[{number}].type")
    return {"type": "text", "text": block.text}


def _assistant(turn: Turn, path: str) -> Message:
    """Thoughts are left out: they mean something to the model that had them only."""
    texts, calls = [], []
    for number, block in enumerate(turn.blocks):
        match block.type:
            case "text":
                texts.append(block.text)
            case "tool_use":
                calls.append(_call(block))
            case "thinking" | "redacted_thinking":
                pass
            case _:
                raise unsupported(f"{path}[{number}].type")
    message: Message = {"role": "assistant", "content": "".join(texts) or None}
    return message | ({"tool_calls": calls} if calls else {})


def _call(block: Block) -> dict[str, Any]:
    function = {"name": block.name, "arguments": bytes(block.input).decode()}
    call: dict[str, Any] = {"id": block.id, "type": "function", "function": function}
    return call if block.extra_content == NONE else call | {"extra_content": block.extra_content}
