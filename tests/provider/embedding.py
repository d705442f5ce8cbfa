"""Embeddings in OpenAI's and Google's formats, as the fake provider gives them."""

import base64
import re
import struct
from typing import Any
from urllib.parse import unquote

from tests.provider import google, openai
from tests.provider.encoding import encode
from tests.provider.script import ABSURD, Asked, Script

SIZE = 4
"""Numbers of an embedding where the caller does not say."""
_PATH = re.compile(r"/models/([^/]+):batchEmbedContents$")
_OPENAI_FIELDS = frozenset(["dimensions", "encoding_format", "input", "model", "user"])
_GOOGLE_FIELDS = frozenset(["content", "model", "outputDimensionality", "taskType", "title"])


def vector(text: str, size: int) -> list[float]:
    """Of a text: exact as 32-bit numbers, and another for another text."""
    return [(len(text) + place) / 8 for place in range(size)]


class OpenAI:
    """`POST /embeddings`."""

    terminal = b""

    def asked(self, path: str, body: Any) -> Asked | None:
        said = body.get("input") if isinstance(body, dict) else None
        texts = [said] if isinstance(said, str) else said
        if not isinstance(texts, list) or not texts or not body.keys() <= _OPENAI_FIELDS:
            return None
        if isinstance(texts[0], int):
            texts = [texts]
        return Asked(body, body["model"], False, [("user", _words(text)) for text in texts])

    def answer(self, number: int, asked: Asked, script: Script) -> "_Answer":
        size = asked.body.get("dimensions") or SIZE
        vectors = [vector(text, size) for _, text in asked.texts]
        packed = asked.body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": _packed(v) if packed else v}
            for index, v in enumerate(vectors)
        ]
        answer = {"object": "list", "data": data, "model": asked.model}
        tokens = ABSURD[0] if script.absurd else script.input
        return _Answer(answer, "usage", {"prompt_tokens": tokens, "total_tokens": tokens}, script)

    def error(self, status: int, message: str, code: str | None = None) -> Any:
        return openai.error(status, message, code)

    def refusal(self, kind: str) -> tuple[int, Any]:
        return openai.refusal(kind)

    def failed(self) -> bytes:
        return openai.failed()


class Google:
    """`POST /models/…:batchEmbedContents`."""

    terminal = b""

    def asked(self, path: str, body: Any) -> Asked | None:
        place = _PATH.search(path)
        requests = body.get("requests") if isinstance(body, dict) else None
        if place is None or not requests or not all(r.keys() <= _GOOGLE_FIELDS for r in requests):
            return None
        texts = [" ".join(part["text"] for part in each["content"]["parts"]) for each in requests]
        return Asked(body, unquote(place[1]), False, [("user", text) for text in texts])

    def answer(self, number: int, asked: Asked, script: Script) -> "_Answer":
        size = asked.body["requests"][0].get("outputDimensionality") or SIZE
        vectors = [{"values": vector(text, size)} for _, text in asked.texts]
        tokens = ABSURD[0] if script.absurd else script.input
        usage = {"promptTokenCount": tokens, "totalTokenCount": tokens}
        return _Answer({"embeddings": vectors}, "usageMetadata", usage, script)

    def error(self, status: int, message: str, code: str | None = None) -> Any:
        return google.error(status, message, code)

    def refusal(self, kind: str) -> tuple[int, Any]:
        if kind == "contentfilter":
            return 400, google.error(400, "The input was blocked by a safety filter.")
        return google.refusal(kind)

    def failed(self) -> bytes:
        return google.failed()


class _Answer:
    def __init__(self, answer: Any, member: str, usage: dict[str, Any], script: Script) -> None:
        self.usage = usage if script.reports else None
        self._answer = answer | ({member: usage} if script.reports else {})

    def whole(self) -> bytes:
        return encode(self._answer)

    def opening(self) -> bytes:
        return b""

    def contents(self) -> list[bytes]:
        return []

    def closing(self) -> bytes:
        return b""


def _words(said: str | list[int]) -> str:
    """A text, or as many words as there are tokens."""
    return said if isinstance(said, str) else " ".join(map(str, said))


def _packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
