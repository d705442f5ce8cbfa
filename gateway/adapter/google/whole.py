"""What Google's Gemini API answers, in OpenAI's shape."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from domain.snapshot import Deployment
from gateway.adapter.base import malformed, native_error, told
from gateway.adapter.chunks import Count, Figures, call, completion, figures
from gateway.failure import End, UpstreamFailure

FINISHES: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
}
"""With any other reason the answer is not whole."""
_DELAY = re.compile(rb'"retryDelay"\s*:\s*"([0-9.]{1,12})s"')


NONE = msgspec.Raw(b"null")


class FunctionCall(msgspec.Struct):
    name: str
    id: str = ""
    args: msgspec.Raw = msgspec.Raw(b"{}")


class Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    function_call: FunctionCall | None = None
    thought_signature: str | None = None


class Content(msgspec.Struct, frozen=True):
    parts: Sequence[Part] = ()


class _Token(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Top(msgspec.Struct):
    candidates: Sequence[_Token] = ()


class Logprobs(msgspec.Struct, rename="camel"):
    chosen_candidates: Sequence[_Token] = ()
    top_candidates: Sequence[_Top] = ()


class Candidate(msgspec.Struct, rename="camel"):
    content: Content = Content()
    finish_reason: str | None = None
    index: Annotated[int, msgspec.Meta(ge=0, lt=128)] = 0
    logprobs_result: Logprobs | None = None


class Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class Usage(msgspec.Struct, rename="camel", gc=False):
    """`candidates_token_count` leaves out the thoughts; zeros are not said."""

    prompt_token_count: Count | None = None
    cached_content_token_count: Count = 0
    candidates_token_count: Count = 0
    thoughts_token_count: Count = 0
    tool_use_prompt_token_count: Count = 0
    total_token_count: Count | None = None

    @property
    def figures(self) -> Figures | None:
        if self.prompt_token_count is None:
            return None
        return figures(
            inputs=(self.prompt_token_count, self.tool_use_prompt_token_count),
            outputs=(self.candidates_token_count, self.thoughts_token_count),
            cached=self.cached_content_token_count,
            reasoning=self.thoughts_token_count,
            total=self.total_token_count,
        )


class Response(msgspec.Struct, rename="camel"):
    candidates: Sequence[Candidate] = ()
    prompt_feedback: Feedback | None = None
    usage_metadata: Usage | None = None
    model_version: str = ""
    response_id: str = ""
    error: msgspec.Raw = NONE


class _Coded(msgspec.Struct):
    code: int = 500


response = msgspec.json.Decoder(Response)
_coded = msgspec.json.Decoder(_Coded)


def answer(body: bytes, deployment: Deployment) -> bytes:
    """Raises `UpstreamFailure`."""
    try:
        said = response.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise malformed() from None
    refusal = refused(said, body)
    if refusal is not None:
        raise refusal
    if not said.candidates:
        raise malformed("gave an answer without candidates")
    choices = [_choice(candidate) for candidate in said.candidates]
    usage = None if said.usage_metadata is None else said.usage_metadata.figures
    return completion(said.response_id, said.model_version or deployment.name, choices, usage)


def refused(said: Response, body: bytes) -> UpstreamFailure | None:
    """Why there is no answer in a success, None where it does not say so."""
    if said.error != NONE:
        return within(said.error, body)
    feedback = said.prompt_feedback
    if said.candidates or feedback is None or feedback.block_reason is None:
        return None
    words = f"blocked the prompt: {feedback.block_reason[:50]}"
    return told(UpstreamFailure(End.CONTENT_FILTER, words, status=400))


def within(said: msgspec.Raw, body: bytes) -> UpstreamFailure:
    """An error in a success's clothes."""
    try:
        code = _coded.decode(said).code
    except msgspec.DecodeError:
        code = 500
    return error(code if 400 <= code < 600 else 500, {}, body)


def _choice(candidate: Candidate) -> dict[str, Any]:
    parts = candidate.content.parts
    text = "".join(part.text for part in parts if part.text and not part.thought)
    thoughts = "".join(part.text for part in parts if part.text and part.thought)
    calls = [called(part, part.function_call) for part in parts if part.function_call is not None]
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = calls
    if thoughts:
        message["reasoning_content"] = thoughts
    finish = finished(candidate.finish_reason, called=bool(calls))
    if finish is None:
        raise malformed(f"ended its answer with {str(candidate.finish_reason)[:50]}")
    return {
        "index": candidate.index,
        "message": message,
        "logprobs": None if (seen := candidate.logprobs_result) is None else logprobs(seen),
        "finish_reason": finish,
    }


def finished(reason: str | None, *, called: bool) -> str | None:
    """OpenAI's finish reason; None when the answer is not whole."""
    finish = FINISHES.get(reason or "")
    return "tool_calls" if finish == "stop" and called else finish


def called(part: Part, function: FunctionCall) -> dict[str, Any]:
    """With the signature that has to come back where Google's own OpenAI endpoint has it."""
    signature = part.thought_signature
    more = {} if signature is None else {"google": {"thought_signature": signature}}
    made = call(
        function.id or f"call_{uuid.uuid4().hex}", function.name, bytes(function.args).decode()
    )
    return made | ({"extra_content": more} if more else {})


def logprobs(seen: Logprobs) -> dict[str, Any]:
    tops = [top.candidates for top in seen.top_candidates]
    tops += [()] * (len(seen.chosen_candidates) - len(tops))
    content = [
        _token(chosen) | {"top_logprobs": [_token(token) for token in top]}
        for chosen, top in zip(seen.chosen_candidates, tops, strict=False)
    ]
    return {"content": content, "refusal": None}


def _token(token: _Token) -> dict[str, Any]:
    bytes_ = list(token.token.encode())
    return {"token": token.token, "logprob": token.log_probability, "bytes": bytes_}


def error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """A wrong key is a 400 here, and when to come back is said in the body."""
    failure = native_error(status, headers, body)
    if status == 400 and b"API_KEY_INVALID" in body:
        return UpstreamFailure(End.KEY_REFUSED, "refused its key", status=status)
    delay = _DELAY.search(body) if status == 429 and failure.retry_after is None else None
    if delay is not None:
        try:
            failure.retry_after = float(delay[1])
        except ValueError:
            failure.retry_after = None
    return failure
