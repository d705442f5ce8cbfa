"""Embeddings by Google's Gemini API, asked and told in OpenAI's words."""

import base64
import sys
from array import array
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from domain.secret import Secret
from domain.snapshot import Deployment
from gateway.adapter.base import malformed, unsupported
from gateway.adapter.chunks import Count
from gateway.adapter.google.request import posted
from gateway.adapter.google.whole import NONE, within
from gateway.egress.client import Outbound
from gateway.openai.embedding import EmbeddingRequest

TAKEN = frozenset({"dimensions", "encoding_format", "input", "model"})
IGNORED = frozenset({"user"})
_encode = msgspec.json.Encoder().encode

Number = Annotated[float, msgspec.Meta(ge=-3e38, le=3e38)]


class _Vector(msgspec.Struct):
    values: list[Number]


class _Usage(msgspec.Struct, rename="camel", gc=False):
    prompt_token_count: Count | None = None


class _Response(msgspec.Struct, rename="camel"):
    embeddings: list[_Vector] = []
    usage_metadata: _Usage | None = None
    error: msgspec.Raw = NONE


_response = msgspec.json.Decoder(_Response)


def embed(deployment: Deployment, request: EmbeddingRequest, key: Secret | None) -> Outbound:
    """Raises `UpstreamFailure` UNSUPPORTED."""
    for name, value in request.fields.items():
        if name not in TAKEN and name not in IGNORED and value != NONE:
            raise unsupported(name[:100])
    model = f"models/{deployment.name.removeprefix('models/')}"
    asked = [_asked(model, said, request.dimensions) for said in request.inputs]
    return posted(deployment, key, "batchEmbedContents", _encode({"requests": asked}))


def _asked(model: str, said: str | list[int], dimensions: int | None) -> dict[str, Any]:
    if not isinstance(said, str):
        raise unsupported("input", " of tokens")
    asked: dict[str, Any] = {"model": model, "content": {"parts": [{"text": said}]}}
    return asked if dimensions is None else asked | {"outputDimensionality": dimensions}


def unembedded(request: EmbeddingRequest) -> Sequence[str]:
    return sorted(
        name for name, value in request.fields.items() if name in IGNORED and value != NONE
    )


def embedded(body: bytes, deployment: Deployment, request: EmbeddingRequest) -> bytes:
    """Raises `UpstreamFailure`."""
    try:
        said = _response.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise malformed() from None
    if said.error != NONE:
        raise within(said.error, body)
    if len(said.embeddings) != len(request.inputs):
        raise malformed("gave an answer without an embedding for each input")
    answer: dict[str, Any] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(vector, request)}
            for index, vector in enumerate(said.embeddings)
        ],
        "model": deployment.name,
    }
    usage = said.usage_metadata
    if usage is not None and usage.prompt_token_count is not None:
        tokens = usage.prompt_token_count
        answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _encode(answer)


def _vector(vector: _Vector, request: EmbeddingRequest) -> list[float] | str:
    """Numbers, or the base64 of 32-bit ones, the lowest byte first."""
    if not request.base64:
        return vector.values
    numbers = array("f", vector.values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()
