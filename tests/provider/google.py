"""Google's Gemini API, as the fake provider speaks it; no input or output here."""

import json
import re
from typing import Any
from urllib.parse import unquote

from tests.provider.encoding import encode, event
from tests.provider.script import ABSURD, ARGUMENTS, Asked, Script

terminal = b""
SIGNATURE = "c2lnbmVk"
_PATH = re.compile(r"/models/([^/]+):(generateContent|streamGenerateContent)$")
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
_FIELDS = frozenset(["contents", "generationConfig", "systemInstruction", "toolConfig", "tools"])
_PARTS = frozenset(
    ["fileData", "functionCall", "functionResponse", "inlineData", "text", "thoughtSignature"]
)


def asked(path: str, body: Any) -> Asked | None:
    place = _PATH.search(path)
    well_formed = (
        place is not None
        and isinstance(body, dict)
        and isinstance(body.get("contents"), list)
        and bool(body["contents"])
        and all(_is_content(content) for content in body["contents"])
        and body.keys() <= _FIELDS
    )
    if place is None or not well_formed:
        return None
    system = body.get("systemInstruction") or {"parts": []}
    said = [(content.get("role", "user"), _text(content)) for content in body["contents"]]
    declared = [
        function["name"]
        for tool in body.get("tools") or []
        for function in tool.get("functionDeclarations") or []
    ]
    return Asked(
        body,
        unquote(place[1]),
        place[2] == "streamGenerateContent",
        [("system", _text(system)), *said],
        declared,
        (body.get("generationConfig") or {}).get("maxOutputTokens"),
    )


def _is_content(content: Any) -> bool:
    return (
        content.get("role", "user") in ("user", "model")
        and bool(content.get("parts"))
        and all(part and part.keys() <= _PARTS for part in content["parts"])
    )


def _text(content: Any) -> str:
    return " ".join(part["text"] for part in content["parts"] if "text" in part)


def error(status: int, message: str, code: str | None = None) -> Any:
    named = _STATUSES.get(status, "INTERNAL")
    return {"error": {"code": status, "message": message, "status": named}}


def refusal(kind: str) -> tuple[int, Any]:
    if kind == "contextlength":
        text = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
        return 400, error(400, text)
    return 200, {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}


def failed() -> bytes:
    return event(error(503, "The model is overloaded."))


def answer(number: int, asked: Asked, script: Script) -> "_Answer":
    return _Answer(number, asked, script)


class _Answer:
    def __init__(self, number: int, asked: Asked, script: Script) -> None:
        self._script = script
        self._finish = "MAX_TOKENS" if script.cut_short else "STOP"
        self._head = {"modelVersion": asked.model, "responseId": f"fake{number}"}
        self.usage = _usage(script) if script.reports else None

    def whole(self) -> bytes:
        script = self._script
        parts: list[dict[str, Any]] = [{"text": "".join(script.words)}]
        if script.tools:
            parts = [self._call(number) for number in range(len(script.tools))]
        return encode(self._response(parts, self._finish))

    def opening(self) -> bytes:
        return b""

    def contents(self) -> list[bytes]:
        if not self._script.tools:
            return [event(self._response([{"text": word}])) for word in self._script.words]
        held = [b""] * (len(ARGUMENTS) - 1)
        calls = [event(self._response([self._call(n)])) for n in range(len(self._script.tools))]
        return [piece for call in calls for piece in (*held, call)]

    def closing(self) -> bytes:
        return event(self._response([{"text": ""}], self._finish))

    def _call(self, number: int) -> dict[str, Any]:
        """Of parallel calls only the first is signed."""
        arguments = json.loads("".join(ARGUMENTS))
        call = {"functionCall": {"name": self._script.tools[number], "args": arguments}}
        signed = {"thoughtSignature": SIGNATURE} if self._script.reasoning and not number else {}
        return call | signed

    def _response(self, parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        response: dict[str, Any] = {"candidates": [candidate], **self._head}
        if self.usage is None:
            return response
        # Figures so far come with every event; zeros are left out.
        done = (
            {"promptTokenCount": self.usage["promptTokenCount"]} if finish is None else self.usage
        )
        return response | {"usageMetadata": done}


def _usage(script: Script) -> dict[str, Any]:
    """Thoughts are beside the candidates' tokens."""
    if script.absurd:
        return {"promptTokenCount": ABSURD[0], "candidatesTokenCount": ABSURD[1]}
    usage = {
        "promptTokenCount": script.input,
        "cachedContentTokenCount": script.cached,
        "candidatesTokenCount": script.output - script.reasoning,
        "thoughtsTokenCount": script.reasoning,
        "totalTokenCount": script.input + script.output,
    }
    return {name: count for name, count in usage.items() if count}
