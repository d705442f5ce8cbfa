"""Failures in Anthropic's words: a status, an `error` object, and when to come back."""

import uuid
from collections.abc import Mapping

import msgspec

from domain.errors import FairleadError
from gateway.asgi import Header
from gateway.errors import DO_NOT_REPEAT, Rendered, bug_message, coming_back, message_of

INVALID = "invalid_request_error"
SERVER = "api_error"

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class _Error(msgspec.Struct):
    type: str
    message: str


class _Body(msgspec.Struct):
    error: _Error
    type: str = "error"


def render(error: FairleadError) -> Rendered:
    """An answer of its own. What must not be repeated says so: Anthropic's SDKs would repeat it."""
    return Rendered(error.status, _encode(error), coming_back(error))


def event(error: FairleadError) -> bytes:
    """The last event of a stream that cannot be completed."""
    return b"event: error\ndata: " + _encode(error) + b"\n\n"


def refusal(status: int, message: str, code: str, headers: list[Header]) -> Rendered:
    """For what is wrong before there is anything to do."""
    return Rendered(status, _body(status, message), [*headers, DO_NOT_REPEAT])


def bug(id: uuid.UUID) -> Rendered:
    """For what we did not foresee: an id that is in the log, and nothing else."""
    return refusal(500, bug_message(id), "internal_error", [])


def _encode(error: FairleadError) -> bytes:
    return _body(error.status, message_of(error))


def _body(status: int, message: str) -> bytes:
    kind = _TYPES.get(status, INVALID if status < 500 else SERVER)
    return msgspec.json.encode(_Body(_Error(kind, message)))
