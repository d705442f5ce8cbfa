"""What an upstream call came to, read off its status and its own words (routing.md 4)."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum

import msgspec

from domain.errors import (
    FairleadError,
    LimitExceeded,
    MalformedRequest,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
)
from domain.health import Failure
from gateway.egress.errors import (
    Compressed,
    ConnectFailed,
    ConnectionLost,
    EgressError,
    ForbiddenAddress,
    UnsendableRequest,
)

LONGEST_WORDS = 500


class End(StrEnum):
    """How one attempt ended; kept in its record."""

    OK = "OK"
    CONNECT = "CONNECT"
    RESET = "RESET"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    SERVER_ERROR = "SERVER_ERROR"
    TIMEOUT = "TIMEOUT"
    MALFORMED = "MALFORMED"
    RATE_LIMITED = "RATE_LIMITED"
    KEY_REFUSED = "KEY_REFUSED"
    MODEL_MISSING = "MODEL_MISSING"
    CONTEXT_LENGTH = "CONTEXT_LENGTH"
    CONTENT_FILTER = "CONTENT_FILTER"
    REJECTED = "REJECTED"
    UNSUPPORTED = "UNSUPPORTED"
    FORBIDDEN = "FORBIDDEN"
    CUT = "CUT"
    CANCELLED = "CANCELLED"


AGAIN = frozenset({End.RESET, End.INTERNAL_ERROR})
"""Tried once more at the same deployment; a short rate limit is too."""
PASSED_ON = frozenset({End.REJECTED, End.CONTENT_FILTER})
"""The request's own fault: nobody else is asked."""
ALARMING = frozenset({End.KEY_REFUSED, End.MODEL_MISSING, End.FORBIDDEN})
"""Nothing that passes: somebody has to change the configuration."""
HEALTH: Mapping[End, Failure] = {
    End.CONNECT: Failure.CONNECT,
    End.RESET: Failure.CONNECT,
    End.INTERNAL_ERROR: Failure.SERVER_ERROR,
    End.SERVER_ERROR: Failure.SERVER_ERROR,
    End.TIMEOUT: Failure.FIRST_TOKEN_TIMEOUT,
    End.MALFORMED: Failure.BROKEN_STREAM,
    End.CUT: Failure.BROKEN_STREAM,
}
"""What counts against a deployment; refusals, limits and cancels do not."""

_CONTEXT = re.compile(
    r"context.?length|context window|maximum context|too many (input )?tokens|prompt is too long"
    r"|input is too long|token count .*exceeds",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content.?(filter|policy|management)|safety|moderation|flagged|blocked", re.IGNORECASE
)
_FILTERED = re.compile(
    r"content.?(filter|policy|management)|safety|moderation"
    r"|(prompt|input|output|content|message|response)s?\b[^.]{0,40}\b(flagged|blocked)"
    r"|\b(flagged|blocked)\b[^.]{0,40}\b(prompt|input|output|content|message|response)s?\b",
    re.IGNORECASE,
)
"""Of a 403: accounts, addresses and clients are flagged and blocked too."""
_MODEL = re.compile(
    r"model_not_found|(access|permission|allowed|authori[sz]ed) to (use )?(the |this )?"
    r"(requested |specified )?model",
    re.IGNORECASE,
)
"""Of a 403: the key is good, but not for this model."""
_EXHAUSTED = re.compile(r"insufficient_quota|billing_hard_limit|billing_not_active")
"""Codes of a 429 that no waiting ends: what the key's account paid for is used up."""


class UpstreamFailure(Exception):
    """`words` may be shown to the caller; `retry_after` in seconds; `param` names the fault."""

    def __init__(
        self,
        end: End,
        words: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        body: bytes = b"",
        param: str | None = None,
    ) -> None:
        super().__init__(words)
        self.end = end
        self.words = words
        self.status = status
        self.retry_after = retry_after
        self.body = body
        self.param = param


def of_transport(error: EgressError) -> UpstreamFailure:
    """A connection that was not made, or broke."""
    match error:
        case ForbiddenAddress() | UnsendableRequest():
            return UpstreamFailure(End.FORBIDDEN, "may not be connected to from here")
        case ConnectFailed():
            return UpstreamFailure(End.CONNECT, "could not be reached")
        case ConnectionLost():
            if error.before_headers:
                return UpstreamFailure(End.RESET, "closed the connection before answering")
            return UpstreamFailure(End.CUT, "broke off its answer")
        case Compressed():
            return UpstreamFailure(End.MALFORMED, "compressed its answer, which was not asked for")
    return UpstreamFailure(End.MALFORMED, "gave an answer that could not be read")


class _Detail(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _Said(msgspec.Struct):
    error: _Detail | str | None = None
    message: str | None = None


_said = msgspec.json.Decoder(_Said | list[_Said])


def of_status(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """An answer that is no success, or an error in a success's clothes."""
    message, code, shaped = _words(body)
    end = _end(status, message, code)
    if end is End.KEY_REFUSED:
        # A provider may quote the key it refuses.
        message, shaped = "refused its key", False
    return UpstreamFailure(
        end,
        message or _unsaid(status),
        status=status,
        retry_after=_retry_after(headers) if status in (429, 503) else None,
        body=body if shaped else b"",
    )


def _end(status: int, message: str, code: str) -> End:
    text = f"{code} {message}"
    if status in (400, 413, 422) and _CONTEXT.search(text):
        return End.CONTEXT_LENGTH
    if (status == 400 and _FILTER.search(text)) or (status == 403 and _FILTERED.search(text)):
        return End.CONTENT_FILTER
    if status == 429 and _EXHAUSTED.search(code):
        return End.KEY_REFUSED
    if status == 403 and _MODEL.search(text):
        return End.MODEL_MISSING
    match status:
        case 401 | 402 | 403:
            return End.KEY_REFUSED
        case 404:
            return End.MODEL_MISSING
        case 429:
            return End.RATE_LIMITED
        case 408:
            return End.TIMEOUT
        case 500:
            return End.INTERNAL_ERROR
    return End.REJECTED if 400 <= status < 500 else End.SERVER_ERROR


def _words(body: bytes) -> tuple[str, str, bool]:
    """The upstream's message and code, and whether the body has OpenAI's shape."""
    try:
        said = _said.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body[:LONGEST_WORDS].decode(errors="replace").strip(), "", False
    listed = isinstance(said, list)
    first = (said[0] if said else _Said()) if isinstance(said, list) else said
    detail = first.error
    if isinstance(detail, _Detail):
        code = f"{detail.code or ''} {detail.type or ''}"
        message = detail.message or ""
        return message[:LONGEST_WORDS], code, bool(message) and not listed
    return (detail or first.message or "")[:LONGEST_WORDS], "", False


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, said in milliseconds, in seconds or by a date; None when it is none of them."""
    said = headers.get("retry-after", "")
    try:
        if "retry-after-ms" in headers:
            wait = float(headers["retry-after-ms"]) / 1000
        elif "," in said:
            wait = max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
        else:
            wait = float(said)
    except ValueError:
        return None
    return wait if 0.0 <= wait < float("inf") else None


def to_error(failure: UpstreamFailure, provider: str) -> FairleadError:
    """What the caller is told when nobody else can be asked."""
    message = f"`{provider}` {failure.words}."
    match failure.end:
        case End.UNSUPPORTED:
            return MalformedRequest(message, param=failure.param)
        case End.REJECTED | End.CONTENT_FILTER | End.CONTEXT_LENGTH:
            return ProviderRejected(
                failure.words,
                provider=provider,
                upstream_status=failure.status or 400,
                body=failure.body,
            )
        case End.RATE_LIMITED:
            return LimitExceeded(
                f"`{provider}` takes no more requests for now: {failure.words}.",
                retry_after=failure.retry_after or 1.0,
            )
        case End.TIMEOUT:
            return ProviderTimeout(message, provider=provider, upstream_status=failure.status)
    error = ProviderError(_said_by(failure, provider), provider=provider)
    error.upstream_status = failure.status
    if failure.end in (End.CONNECT, End.RESET, End.SERVER_ERROR, End.INTERNAL_ERROR):
        error.status = 503
    return error


def _said_by(failure: UpstreamFailure, provider: str) -> str:
    status, words = failure.status, failure.words
    if status is None or failure.end is End.KEY_REFUSED or words == _unsaid(status):
        return f"`{provider}` {words}."
    return f"`{provider}` answered with status {status}: {words}"


def _unsaid(status: int) -> str:
    """Of an upstream without words."""
    return f"answered with status {status}"
