"""An OpenAI chat request in the words of Anthropic's Messages API."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from domain.secret import Secret
from domain.snapshot import Deployment
from gateway.adapter.asked import EMPTY, NONE, Asked, Message, Part, Tool, an_object, data_url, read
from gateway.adapter.base import unsupported
from gateway.egress.client import Outbound
from gateway.openai.request import ChatRequest

VERSION = "2023-06-01"
MOST_UNASKED = 8192
"""Output tokens where the caller sets no limit: this format wants one."""
TAKEN = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
BUDGETS: Mapping[str, int] = {"low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768}
"""Tokens to think in, for models that take a budget."""
LEAST_BUDGET = 1024
EFFORTS: Mapping[str, str] = {"minimal": "low"} | {
    effort: effort for effort in ("low", "medium", "high", "xhigh", "max")
}
_BUDGETED = re.compile(r"claude-(3|(opus|sonnet|haiku)-4(-[0-5])?(-\d{8}|-latest)?$)")
"""Models before 4.6, which are given a budget; later ones an effort."""
_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}
_NO_INPUT = msgspec.Raw(b'{"type":"object","properties":{}}')
_THINKING = msgspec.Raw(b'"thinking"')
_encode = msgspec.json.Encoder().encode

Block = dict[str, Any]


def outbound(
    deployment: Deployment, request: ChatRequest, key: Secret | None, *, asks_usage: bool
) -> Outbound:
    """Raises `UpstreamFailure` UNSUPPORTED. Usage always comes."""
    return posted(deployment, key, _encode(_body(deployment, request)))


def posted(
    deployment: Deployment,
    key: Secret | None,
    body: bytes,
    *,
    version: str = VERSION,
    betas: str | None = None,
) -> Outbound:
    """A request of this format. `betas` are the features a caller names in a header."""
    provider = deployment.provider
    headers = [
        ("content-type", "application/json"),
        ("user-agent", "fairlead"),
        ("anthropic-version", version),
    ]
    if betas is not None:
        headers.append(("anthropic-beta", betas))
    if key is not None:
        headers.append(("x-api-key", key.reveal()))
    return Outbound(
        "POST",
        f"{provider.base_url}/messages",
        headers,
        body,
        connect_timeout=provider.timeouts.connect_ms / 1000,
        # Providers are made by administrators only, so the operator's list applies.
        private_allowed=True,
    )


def _body(deployment: Deployment, request: ChatRequest) -> dict[str, Any]:
    asked = read(request, TAKEN)
    if asked.temperature is not None and asked.temperature > 1:
        raise unsupported("temperature", " above 1")
    system, messages = _messages(asked)
    cap = min(deployment.max_output_tokens or MOST_UNASKED, MOST_UNASKED)
    body = {
        "model": deployment.name,
        "max_tokens": asked.cap or cap,
        "messages": messages,
        "system": system or None,
        "stop_sequences": asked.stops or None,
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "top_k": asked.top_k,
        "stream": request.stream or None,
        **_tools(asked),
        **_output(asked, deployment, cap),
    }
    return {name: value for name, value in body.items() if value is not None}


def _messages(asked: Asked) -> tuple[list[Block], list[dict[str, Any]]]:
    """System prompts, wherever they stand, and turns in which neighbours of one role are joined."""
    system: list[Block] = []
    turns: list[dict[str, Any]] = []
    for number, message in enumerate(asked.messages):
        path = f"messages[{number}]"
        if message.role in ("system", "developer"):
            system += _blocks(message.parts(), path)
            continue
        role, blocks = _turn(message, path)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return system, turns


def _turn(message: Message, path: str) -> tuple[str, list[Block]]:
    blocks = _blocks(message.parts(), path)
    match message.role:
        case "user":
            return "user", blocks
        case "tool":
            result = {"type": "tool_result", "tool_use_id": message.tool_call_id or ""}
            return "user", [result | ({"content": blocks} if blocks else {})]
        case "assistant":
            return "assistant", [*_thoughts(message), *blocks, *_calls(message, path)]
    raise unsupported(f"{path}.role")


def _thoughts(message: Message) -> list[Block]:
    """As signed; a stream gives their text beside them."""
    said = msgspec.Raw(_encode(message.reasoning_content or ""))
    return [
        {"thinking": said, **block} if block.get("type") == _THINKING else block
        for block in message.thinking_blocks or ()
    ]


def _calls(message: Message, path: str) -> list[Block]:
    return [
        {
            "type": "tool_use",
            "id": call.id,
            "name": call.function.name,
            "input": an_object(
                call.function.arguments, f"{path}.tool_calls[{number}].function.arguments"
            ),
        }
        for number, call in enumerate(message.tool_calls or ())
    ]


def _blocks(parts: list[Part], path: str) -> list[Block]:
    return [_block(part, f"{path}.content[{number}]") for number, part in enumerate(parts)]


def _block(part: Part, path: str) -> Block:
    match part:
        case Part(type="text", text=str(text)) | Part(type="refusal", refusal=str(text)):
            block: Block = {"type": "text", "text": text}
        case Part(type="image_url", image_url=image) if image is not None:
            url = image if isinstance(image, str) else image.url
            block = {"type": "image", "source": _source(url, f"{path}.image_url")}
        case Part(type="file", file=file) if file is not None and file.file_data is not None:
            source = _source(file.file_data, f"{path}.file.file_data")
            block = {"type": "document", "source": source}
        case _:
            raise unsupported(path)
    if part.cache_control != NONE:
        block["cache_control"] = part.cache_control
    return block


def _source(url: str, path: str) -> dict[str, str]:
    data = data_url(url, path)
    if data is not None:
        return {"type": "base64", "media_type": data[0], "data": data[1]}
    return {"type": "url", "url": url}


def _tools(asked: Asked) -> dict[str, Any]:
    if not asked.tools:
        return {}
    choice: dict[str, Any] | None = None
    if isinstance(asked.tool_choice, str):
        if asked.tool_choice not in _CHOICES:
            raise unsupported("tool_choice")
        choice = {"type": _CHOICES[asked.tool_choice]}
    elif (name := asked.forced) is not None:
        choice = {"type": "tool", "name": name}
    if asked.parallel_tool_calls is False and choice != {"type": "none"}:
        choice = (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    tools = [_tool(tool, f"tools[{number}]") for number, tool in enumerate(asked.tools)]
    return {"tools": tools, "tool_choice": choice}


def _tool(tool: Tool, path: str) -> dict[str, Any]:
    declared = tool.function
    if tool.type != "function" or declared is None:
        raise unsupported(path)
    schema = _NO_INPUT if declared.parameters in (NONE, EMPTY) else declared.parameters
    said: dict[str, Any] = {"name": declared.name, "input_schema": schema}
    if declared.description:
        said["description"] = declared.description
    if declared.strict:
        said["strict"] = True
    if tool.cache_control != NONE:
        said["cache_control"] = tool.cache_control
    return said


def _output(asked: Asked, deployment: Deployment, cap: int) -> dict[str, Any]:
    """The schema to answer in, and how hard to think."""
    config: dict[str, Any] = {}
    wanted = asked.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is not None:
        config["format"] = {"type": "json_schema", "schema": wanted.json_schema.schema}
    elif wanted is not None and wanted.type != "text":
        raise unsupported("response_format")
    effort, more = asked.reasoning_effort, {}
    if effort == "none" and not _BUDGETED.match(deployment.name):
        more = {"thinking": {"type": "disabled"}}
    elif effort in (None, "none", "minimal") and _BUDGETED.match(deployment.name):
        pass
    elif _BUDGETED.match(deployment.name):
        more = _budget(asked, str(effort), deployment, cap)
    elif effort is not None:
        if effort not in EFFORTS:
            raise unsupported("reasoning_effort")
        more, config["effort"] = {"thinking": {"type": "adaptive"}}, EFFORTS[effort]
    return more | ({"output_config": config} if config else {})


def _budget(asked: Asked, effort: str, deployment: Deployment, cap: int) -> dict[str, Any]:
    """Thinking counts towards the limit, so a limit nobody asked for makes room for it."""
    if effort not in BUDGETS:
        raise unsupported("reasoning_effort")
    if _within_a_turn(asked):
        return {}
    limit = asked.cap
    if limit is None:
        limit = min(cap + BUDGETS[effort], deployment.max_output_tokens or cap + BUDGETS[effort])
    budget = min(BUDGETS[effort], limit - 1)
    if budget < LEAST_BUDGET:
        raise unsupported("reasoning_effort", f" within {limit} tokens")
    thinking = {"type": "enabled", "budget_tokens": budget}
    return {"max_tokens": limit, "thinking": thinking}


def _within_a_turn(asked: Asked) -> bool:
    """Whether tools are being used without the thoughts that led to it: then none may follow."""
    for message in reversed(asked.messages):
        if message.role == "assistant":
            return bool(message.tool_calls) and not message.thinking_blocks
        if message.role == "user":
            return False
    return False
