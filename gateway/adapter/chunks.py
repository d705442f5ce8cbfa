"""Writes answers in OpenAI's shape, whole or event by event."""

import time
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

_encode = msgspec.json.Encoder().encode

Count = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""A figure that can be summed and written; whether it can be true is for others to say."""


class _InputDetails(msgspec.Struct, omit_defaults=True):
    cached_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int = 0


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int


class Figures(msgspec.Struct, omit_defaults=True):
    """Usage as OpenAI reports it. `billed_beside`: not all that is billed is in these counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _InputDetails
    completion_tokens_details: _OutputDetails
    billed_beside: bool = False


def figures(
    *,
    inputs: Sequence[int],
    outputs: Sequence[int],
    cached: int = 0,
    cache_write: int = 0,
    cache_write_1h: int = 0,
    reasoning: int = 0,
    total: int | None = None,
    billed_beside: bool = False,
) -> Figures:
    """`inputs` and `outputs` are the parts of each; a negative part makes its whole impossible.

    `total` is the provider's own, None where it gives none.
    """
    prompt = -1 if min(inputs) < 0 else sum(inputs)
    completion = -1 if min(outputs) < 0 else sum(outputs)
    return Figures(
        prompt,
        completion,
        prompt + completion if total is None else total,
        _InputDetails(cached, cache_write, cache_write_1h),
        _OutputDetails(reasoning),
        billed_beside,
    )


def completion(
    id: str, model: str, choices: Sequence[dict[str, Any]], usage: Figures | None
) -> bytes:
    """A whole answer; a choice is an index, a message and a finish reason."""
    answer: dict[str, Any] = {
        "id": id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": choices,
    }
    if usage is not None:
        answer["usage"] = usage
    return _encode(answer)


def call(id: str, name: str, arguments: str, **more: Any) -> dict[str, Any]:
    """A tool call of a message; `more` is what goes beside the function."""
    function = {"name": name, "arguments": arguments}
    return {"id": id, "type": "function", "function": function, **more}


class Chunks:
    """The events of one answer. `begin` comes first."""

    __slots__ = ("_close", "_open", "_shows_usage")

    def __init__(self, *, shows_usage: bool) -> None:
        self._shows_usage = shows_usage

    def begin(self, id: str, model: str) -> None:
        head = _encode(
            {
                "id": id,
                "object": "chat.completion.chunk",
                "created": int(time.time()),
                "model": model,
            }
        )
        self._open = b"data: " + head[:-1] + b',"choices":['
        self._close = b',"usage":null}\n\n' if self._shows_usage else b"}\n\n"

    def text(self, text: str, index: int = 0) -> bytes:
        return self._choice(index, b'{"content":' + _encode(text) + b"}")

    def delta(self, delta: dict[str, Any], index: int = 0, **more: Any) -> bytes:
        """`more` is what a choice has beside its delta."""
        return self._choice(index, _encode(delta), b"null", more)

    def finish(self, reason: str, index: int = 0) -> bytes:
        return self._choice(index, b"{}", _encode(reason))

    def usage(self, usage: Figures) -> bytes:
        return self._open + b'],"usage":' + _encode(usage) + b"}\n\n"

    def _choice(
        self,
        index: int,
        delta: bytes,
        finish: bytes = b"null",
        more: dict[str, Any] | None = None,
    ) -> bytes:
        extra = b"," + _encode(more)[1:-1] if more else b""
        return b'%b{"index":%d,"delta":%b,"finish_reason":%b%b}]%b' % (
            self._open,
            index,
            delta,
            finish,
            extra,
            self._close,
        )


def error_event(message: str) -> bytes:
    return b"data: " + _encode({"error": {"message": message}}) + b"\n\n"
