"""What Anthropic's Messages API answers, in OpenAI's shape."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from domain.snapshot import Deployment
from gateway.adapter.base import malformed, native_error
from gateway.adapter.chunks import Count, Figures, call, completion, figures
from gateway.failure import End, UpstreamFailure

FINISHES: Mapping[str, str] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
}
_STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Of an error inside an answer of status 200."""


class OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: Count | None = None


class CacheCreation(msgspec.Struct, gc=False):
    """What was written to the cache, by how long it is kept."""

    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class Usage(msgspec.Struct, gc=False):
    """`input_tokens` leaves out what was read from the cache or written to it."""

    input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_creation: CacheCreation | None = None
    output_tokens: Count | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: Any = None
    iterations: Any = None

    def over(self, earlier: "Usage") -> "Usage":
        """Figures of a stream are cumulative: what is said again replaces what was."""
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        known = {name: value for name, value in said.items() if value is not None}
        return msgspec.structs.replace(earlier, **known)

    @property
    def figures(self) -> Figures | None:
        """None while it does not say what the whole answer used."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        counts = [self._counts, *(made._counts for made in self._compactions)]
        fresh, read, written, hour, output = (sum(each) for each in zip(*counts, strict=True))
        if min(map(min, counts)) < 0:
            fresh = -1
        details = self.output_tokens_details
        return figures(
            inputs=(fresh, read, written),
            outputs=(output,),
            cached=read,
            cache_write=written,
            cache_write_1h=hour,
            reasoning=0 if details is None else details.thinking_tokens or 0,
            billed_beside=self._searched or self._had_help,
        )

    @property
    def _counts(self) -> Sequence[int]:
        """Input, read from a cache, written to one, of that for an hour, output."""
        parts = self.cache_creation or CacheCreation()
        hour, written = parts.ephemeral_1h_input_tokens or 0, self.cache_creation_input_tokens
        if written is None:
            written = hour + (parts.ephemeral_5m_input_tokens or 0)
        read = self.cache_read_input_tokens or 0
        return self.input_tokens or 0, read, written, hour, self.output_tokens or 0

    @property
    def _searched(self) -> bool:
        """Searches are billed by the piece."""
        used = self.server_tool_use
        return isinstance(used, dict) and used.get("web_search_requests") not in (None, 0)

    @property
    def _had_help(self) -> bool:
        """Whether other models took part, which have prices of their own."""
        kinds = [each.get("type", "message") for each in self._iterations]
        return any(kind not in ("message", "compaction") for kind in kinds)

    @property
    def _iterations(self) -> Sequence[dict[str, Any]]:
        """What the answer was made in."""
        made = self.iterations if isinstance(self.iterations, list) else ()
        return [each for each in made if isinstance(each, dict)]

    @property
    def _compactions(self) -> Sequence["Usage"]:
        """The counts of a whole answer leave them out, and they are billed like it."""
        made = [each for each in self._iterations if each.get("type") == "compaction"]
        try:
            return msgspec.convert(made, list[Usage])
        except msgspec.ValidationError:
            return (Usage(input_tokens=-1),)


class Block(msgspec.Struct):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    thinking: str = ""
    signature: str = ""
    data: str = ""


class Message(msgspec.Struct):
    type: str = ""
    id: str = ""
    model: str = ""
    content: Sequence[Block] = ()
    stop_reason: str | None = None
    usage: Usage | None = None


class Error(msgspec.Struct, frozen=True):
    type: str = ""
    message: str = ""


class _Whole(Message):
    error: Error | None = None


_whole = msgspec.json.Decoder(_Whole)


def answer(body: bytes, deployment: Deployment) -> bytes:
    """Raises `UpstreamFailure`."""
    try:
        said = _whole.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise malformed() from None
    if said.error is not None:
        raise within(said.error, body)
    if said.type != "message" or said.stop_reason is None:
        raise malformed("gave an answer that is no message")
    choice = {
        "index": 0,
        "message": _message(said.content),
        "logprobs": None,
        "finish_reason": FINISHES.get(said.stop_reason, "stop"),
    }
    return completion(
        said.id,
        said.model or deployment.name,
        [choice],
        None if said.usage is None else said.usage.figures,
    )


def _message(blocks: Sequence[Block]) -> dict[str, Any]:
    text = "".join(block.text for block in blocks if block.type == "text")
    calls = [
        call(block.id, block.name, bytes(block.input).decode())
        for block in blocks
        if block.type == "tool_use"
    ]
    thoughts = [signed for block in blocks if (signed := thought(block)) is not None]
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = calls
    if thoughts:
        message["reasoning_content"] = "".join(block.thinking for block in blocks)
        message["thinking_blocks"] = thoughts
    return message


def thought(block: Block) -> dict[str, str] | None:
    """A block that has to come back as it was while tools are used; None of another."""
    if block.type == "thinking":
        return {"type": block.type, "thinking": block.thinking, "signature": block.signature}
    return {"type": block.type, "data": block.data} if block.type == "redacted_thinking" else None


def error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    failure = native_error(status, headers, body)
    if status == 400 and "credit balance is too low" in failure.words:
        return UpstreamFailure(End.KEY_REFUSED, "has no credit left for its key", status=status)
    return failure


def within(said: Error, body: bytes) -> UpstreamFailure:
    """An error in a success's clothes."""
    return error(_STATUSES.get(said.type, 500), {}, body)
