"""An answer that has begun, and answers that come whole."""

from collections.abc import Mapping

import msgspec

from gateway.account import Served
from gateway.egress.errors import EgressError
from gateway.egress.inbound import Inbound
from gateway.failure import End, UpstreamFailure, of_status
from gateway.format import Request, Writer
from gateway.stream import Scanner

LONGEST_ANSWER = 64 * 1024 * 1024
LONGEST_ERROR = 256 * 1024
"""Bytes."""


class Answer(msgspec.Struct):
    """An answer that has begun. `body` is all of it, or of a stream the events so far.

    `usage` is the provider's figure, raw; a stream's is its scanner's. `native` is a whole answer
    as the provider gave it, `writer` tells a stream to its client.
    """

    served: Served
    body: bytes
    inbound: Inbound
    scanner: Scanner | None = None
    writer: Writer | None = None
    usage: bytes | None = None
    native: bytes = b""


_NULL = msgspec.Raw(b"null")
_NOTHING = (_NULL, msgspec.Raw(b"[]"))


class _Whole(msgspec.Struct):
    choices: msgspec.Raw = _NULL
    data: msgspec.Raw = _NULL
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


class _Coded(msgspec.Struct):
    code: int = 502


_whole = msgspec.json.Decoder(_Whole)
_coded = msgspec.json.Decoder(_Coded)


async def error_body(inbound: Inbound) -> bytes:
    """What it says of its failure; the status alone when it does not come whole."""
    try:
        return await inbound.read(LONGEST_ERROR)
    except EgressError:
        return b""


async def whole_answer(request: Request, served: Served, inbound: Inbound) -> Answer:
    """In OpenAI's shape, whatever its own."""
    native = inbound.whole(LONGEST_ANSWER)
    if native is None:
        native = await inbound.read(LONGEST_ANSWER)
    body = request.read(served.candidate.deployment, native)
    try:
        said = _whole.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamFailure(
            End.MALFORMED, "gave an answer that is not JSON", status=inbound.status
        ) from None
    if getattr(said, request.member) in _NOTHING:
        if said.error != _NULL:
            raise of_error(bytes(said.error), inbound.headers)
        raise UpstreamFailure(
            End.MALFORMED, f"gave an answer without {request.member}", status=inbound.status
        )
    usage = None if said.usage == _NULL else bytes(said.usage)
    return Answer(served, body, inbound, None, None, usage, native)


def of_error(error: bytes, headers: Mapping[str, str]) -> UpstreamFailure:
    """What an error in OpenAI's words means that came in place of an answer of status 200."""
    return of_status(_code(error), headers, b'{"error":' + error + b"}")


def _code(error: bytes) -> int:
    """Some say the status inside."""
    try:
        code = _coded.decode(error).code
    except msgspec.DecodeError:
        return 502
    return code if 400 <= code < 600 else 502
