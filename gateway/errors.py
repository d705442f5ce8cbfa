"""Failures in OpenAI's words: a status, an `error` object, and when to come back."""

import math
import uuid
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from domain.errors import (
    ErrorCode,
    FairleadError,
    InProgress,
    InvalidInput,
    LimitExceeded,
    MalformedRequest,
    ModelNotFound,
    NothingEligible,
    ProviderRejected,
    Unavailable,
)
from gateway.asgi import Header

INVALID = "invalid_request_error"
SERVER = "server_error"

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}
_CODES: Mapping[ErrorCode, str] = {
    ErrorCode.UNAUTHENTICATED: "invalid_api_key",
    ErrorCode.INSUFFICIENT_CREDITS: "insufficient_quota",
    ErrorCode.LIMIT_EXCEEDED: "rate_limit_exceeded",
}
_AWAY_FOR = 1
"""Seconds after which to try again when our database or disk is away."""
DO_NOT_REPEAT: Header = (b"x-should-retry", b"false")


class Rendered(NamedTuple):
    status: int
    body: bytes
    headers: list[Header]


class _Error(msgspec.Struct):
    message: str
    type: str
    param: str | None
    code: str | None


class _Body(msgspec.Struct):
    error: _Error


def render(error: FairleadError) -> Rendered:
    """An answer of its own."""
    headers = coming_back(error)
    if isinstance(error, ProviderRejected) and error.body:
        return Rendered(error.status, error.body, headers)
    return Rendered(error.status, _encode(error), headers)


def coming_back(error: FairleadError) -> list[Header]:
    """When to. What must not be repeated says so: the official SDKs would repeat it."""
    headers: list[Header] = []
    wait = _wait(error)
    if wait is not None:
        headers.append((b"retry-after", b"%d" % wait))
    if not error.retryable or (isinstance(error, LimitExceeded) and wait is None):
        headers.append(DO_NOT_REPEAT)
    return headers


def event(error: FairleadError) -> bytes:
    """The last event of a stream that cannot be completed."""
    return b"data: " + _encode(error) + b"\n\n"


def refusal(status: int, message: str, code: str, headers: list[Header]) -> Rendered:
    """For what is wrong before there is anything to do: a path, a method, a bug of ours."""
    kind = INVALID if status < 500 else SERVER
    return Rendered(
        status,
        msgspec.json.encode(_Body(_Error(message, kind, None, code))),
        [*headers, DO_NOT_REPEAT],
    )


def bug(id: uuid.UUID) -> Rendered:
    """For what we did not foresee: an id that is in the log, and nothing else."""
    return refusal(500, bug_message(id), "internal_error", [])


def bug_message(id: uuid.UUID) -> str:
    return f"Something went wrong here; quote {id}."


def _encode(error: FairleadError) -> bytes:
    kind = _TYPES.get(error.status, INVALID if error.status < 500 else SERVER)
    code = _CODES.get(error.code, error.code.lower())
    return msgspec.json.encode(_Body(_Error(message_of(error), kind, _param(error), code)))


def message_of(error: FairleadError) -> str:
    """For people, with the reasons where nothing is eligible."""
    if isinstance(error, NothingEligible) and error.reasons:
        return f"{error.message} Candidates: {'; '.join(error.reasons)}."
    return error.message


def _param(error: FairleadError) -> str | None:
    match error:
        case InvalidInput():
            return error.field
        case MalformedRequest():
            return error.param
        case ModelNotFound() | NothingEligible():
            return "model"
    return None


def _wait(error: FairleadError) -> int | None:
    """Whole seconds, never sooner than the error says."""
    if isinstance(error, LimitExceeded) and error.retry_after is not None:
        return max(1, math.ceil(error.retry_after))
    return _AWAY_FOR if isinstance(error, InProgress | Unavailable) else None
