"""An answer that has begun, and answers that come whole."""

import msgspec

from gateway.account import Served
from gateway.adapter.adapters import ADAPTERS
from gateway.egress.errors import EgressError
from gateway.egress.inbound import Inbound
from gateway.failure import End, UpstreamFailure, of_status
from gateway.stream import Scanner

LONGEST_ANSWER = 64 * 1024 * 1024
LONGEST_ERROR = 256 * 1024
"""Bytes."""


class Answer(msgspec.Struct):
    """An answer that has begun. `body` is all of it, or of a stream the events so far.

    `usage` is the provider's figure, raw; a stream's is its scanner's.
    """

    served: Served
    body: bytes
    inbound: Inbound
    scanner: Scanner | None = None
    usage: bytes | None = None


_NULL = msgspec.Raw(b"null")


class _Whole(msgspec.Struct):
    choices: msgspec.Raw = _NULL
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


async def whole_answer(served: Served, inbound: Inbound) -> Answer:
    """In OpenAI's shape, whatever its own."""
    deployment = served.candidate.deployment
    adapter = ADAPTERS[deployment.provider.type]
    body = adapter.answer(await inbound.read(LONGEST_ANSWER), deployment)
    try:
        said = _whole.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise UpstreamFailure(
            End.MALFORMED, "gave an answer that is not JSON", status=inbound.status
        ) from None
    if said.choices == _NULL:
        if said.error != _NULL:
            raise of_status(_code(said.error), inbound.headers, body)
        raise UpstreamFailure(
            End.MALFORMED, "gave an answer without choices", status=inbound.status
        )
    return Answer(served, body, inbound, usage=None if said.usage == _NULL else bytes(said.usage))


def _code(error: msgspec.Raw) -> int:
    """Some say the status inside an answer of status 200."""
    try:
        code = _coded.decode(error).code
    except msgspec.DecodeError:
        return 502
    return code if 400 <= code < 600 else 502
