"""An OpenAI chat request in the words of Google's Gemini API."""

import mimetypes
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from domain.secret import Secret
from domain.snapshot import Deployment
from gateway.adapter.asked import (
    EMPTY,
    NONE,
    Asked,
    Call,
    Message,
    Part,
    Tool,
    an_object,
    data_url,
    read,
)
from gateway.adapter.base import unsupported
from gateway.egress.client import Outbound
from gateway.openai.request import ChatRequest

TAKEN = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "n",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
    }
)
BUDGETS: Mapping[str, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
}
"""Tokens to think in, for models that take a budget; as Google's OpenAI endpoint has them."""
LEVELS: Mapping[str, str] = {
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
}
UNSIGNED = "skip_thought_signature_validator"
"""Google's own word for a call whose signature is not known: another provider made it."""
_BUDGETED = re.compile(r"gemini-[12]\b")
_MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_AUDIO = "audio/"
_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

Piece = dict[str, Any]


def outbound(
    deployment: Deployment, request: ChatRequest, key: Secret | None, *, asks_usage: bool
) -> Outbound:
    """Raises `UpstreamFailure` UNSUPPORTED. Usage always comes."""
    method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
    return posted(deployment, key, method, _encode(_body(deployment, request)))


def posted(deployment: Deployment, key: Secret | None, method: str, body: bytes) -> Outbound:
    """A call of one of the model's methods."""
    provider = deployment.provider
    headers = [("content-type", "application/json"), ("user-agent", "fairlead")]
    if key is not None:
        headers.append(("x-goog-api-key", key.reveal()))
    name = quote(deployment.name.removeprefix("models/"), safe="")
    return Outbound(
        "POST",
        f"{provider.base_url.removesuffix('/openai')}/models/{name}:{method}",
        headers,
        body,
        connect_timeout=provider.timeouts.connect_ms / 1000,
        # Providers are made by administrators only, so the operator's list applies.
        private_allowed=True,
    )


def _body(deployment: Deployment, request: ChatRequest) -> dict[str, Any]:
    asked = read(request, TAKEN)
    signs = not _BUDGETED.search(deployment.name)
    system, contents = _Contents(asked, signs=signs).read()
    body: dict[str, Any] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    generation = _generation(asked, deployment.name)
    if generation:
        body["generationConfig"] = generation
    return body | _tools(asked)


class _Contents:
    """Reads the messages of one request. `signs`: calls are refused without a signature."""

    def __init__(self, asked: Asked, *, signs: bool) -> None:
        self._messages = asked.messages
        self._signs = signs
        self._names: dict[str, str] = {}

    def read(self) -> tuple[list[Piece], list[dict[str, Any]]]:
        """System prompts, wherever they stand, and turns: neighbours of one role are joined."""
        system: list[Piece] = []
        turns: list[dict[str, Any]] = []
        for number, message in enumerate(self._messages):
            path = f"messages[{number}]"
            if message.role in ("system", "developer"):
                system += _pieces(message, path)
                continue
            role, pieces = self._turn(message, path)
            if turns and turns[-1]["role"] == role:
                turns[-1]["parts"] += pieces
            elif pieces:
                turns.append({"role": role, "parts": pieces})
        return system, turns

    def _turn(self, message: Message, path: str) -> tuple[str, list[Piece]]:
        match message.role:
            case "user":
                return "user", _pieces(message, path)
            case "tool":
                return "user", [self._result(message, path)]
            case "assistant":
                calls = [
                    self._call(call, f"{path}.tool_calls[{number}]", first=number == 0)
                    for number, call in enumerate(message.tool_calls or ())
                ]
                return "model", _pieces(message, path) + calls
        raise unsupported(f"{path}.role")

    def _call(self, call: Call, path: str, *, first: bool) -> Piece:
        self._names[call.id] = call.function.name
        arguments = an_object(call.function.arguments, f"{path}.function.arguments")
        piece: Piece = {
            "functionCall": {"id": call.id, "name": call.function.name, "args": arguments}
        }
        signature = ((call.extra_content or {}).get("google") or {}).get("thought_signature")
        if isinstance(signature, str):
            piece["thoughtSignature"] = signature
        elif first and self._signs:
            # Of parallel calls only the first is signed.
            piece["thoughtSignature"] = UNSIGNED
        return piece

    def _result(self, message: Message, path: str) -> Piece:
        id = message.tool_call_id or ""
        if id not in self._names:
            raise unsupported(f"{path}.tool_call_id", ": no call before it has this id")
        said: list[str] = []
        for number, part in enumerate(message.parts()):
            if part.type != "text" or part.text is None:
                raise unsupported(f"{path}.content[{number}]")
            said.append(part.text)
        response = _object("".join(said))
        return {"functionResponse": {"id": id, "name": self._names[id], "response": response}}


def _object(text: str) -> Any:
    """A result is an object here: one that is none becomes its member."""
    try:
        _fields.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {"result": text}
    return msgspec.Raw(text.encode())


def _pieces(message: Message, path: str) -> list[Piece]:
    return [
        _piece(part, f"{path}.content[{number}]") for number, part in enumerate(message.parts())
    ]


def _piece(part: Part, path: str) -> Piece:
    match part:
        case Part(type="text", text=str(text)) | Part(type="refusal", refusal=str(text)):
            return {"text": text}
        case Part(type="image_url", image_url=image) if image is not None:
            url = image if isinstance(image, str) else image.url
            return _media(url, f"{path}.image_url")
        case Part(type="file", file=file) if file is not None and file.file_data is not None:
            return _media(file.file_data, f"{path}.file.file_data")
        case Part(type="input_audio", input_audio=audio) if audio is not None:
            return {"inlineData": {"mimeType": f"audio/{audio.format}", "data": audio.data}}
    raise unsupported(path)


def _media(url: str, path: str) -> Piece:
    data = data_url(url, path)
    if data is not None:
        return {"inlineData": {"mimeType": data[0], "data": data[1]}}
    kind = mimetypes.guess_type(url)[0]
    return {"fileData": {"fileUri": url} | ({"mimeType": kind} if kind else {})}


def _generation(asked: Asked, model: str) -> dict[str, Any]:
    config = {
        "maxOutputTokens": asked.cap,
        "temperature": asked.temperature,
        "topP": asked.top_p,
        "topK": asked.top_k,
        "stopSequences": asked.stops or None,
        "seed": asked.seed,
        "candidateCount": None if asked.n == 1 else asked.n,
        "presencePenalty": asked.presence_penalty or None,
        "frequencyPenalty": asked.frequency_penalty or None,
        "responseLogprobs": asked.logprobs or None,
        "logprobs": asked.top_logprobs or None,
        "thinkingConfig": _thinking(asked.reasoning_effort, model),
        **_format(asked),
    }
    return {name: value for name, value in config.items() if value is not None}


def _thinking(effort: str | None, model: str) -> dict[str, Any] | None:
    if effort is None:
        return None
    if _BUDGETED.search(model):
        if effort in BUDGETS:
            return {"thinkingBudget": BUDGETS[effort]}
    elif effort in LEVELS:
        return {"thinkingLevel": LEVELS[effort]}
    raise unsupported("reasoning_effort")


def _format(asked: Asked) -> dict[str, Any]:
    wanted = asked.response_format
    if wanted is None or wanted.type == "text":
        return {}
    config: dict[str, Any] = {"responseMimeType": "application/json"}
    if wanted.type == "json_schema" and wanted.json_schema is not None:
        return config | {"responseJsonSchema": wanted.json_schema.schema}
    if wanted.type != "json_object":
        raise unsupported("response_format")
    return config


def _tools(asked: Asked) -> dict[str, Any]:
    if not asked.tools:
        return {}
    declared = [_tool(tool, f"tools[{number}]") for number, tool in enumerate(asked.tools)]
    calling: dict[str, Any] = {}
    if isinstance(asked.tool_choice, str):
        if asked.tool_choice not in _MODES:
            raise unsupported("tool_choice")
        calling = {"mode": _MODES[asked.tool_choice]}
    elif (name := asked.forced) is not None:
        calling = {"mode": "ANY", "allowedFunctionNames": [name]}
    if calling.get("mode", "AUTO") == "AUTO" and any(
        tool.function is not None and tool.function.strict for tool in asked.tools
    ):
        calling = {"mode": "VALIDATED"}
    body: dict[str, Any] = {"tools": [{"functionDeclarations": declared}]}
    return body | ({"toolConfig": {"functionCallingConfig": calling}} if calling else {})


def _tool(tool: Tool, path: str) -> dict[str, Any]:
    declared = tool.function
    if tool.type != "function" or declared is None:
        raise unsupported(path)
    said: dict[str, Any] = {"name": declared.name}
    if declared.description:
        said["description"] = declared.description
    if declared.parameters not in (NONE, EMPTY):
        said["parametersJsonSchema"] = declared.parameters
    return said
