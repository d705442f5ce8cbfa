"""What a wire format owes the data plane: the caller's side of it is always OpenAI's."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from domain.secret import Secret
from domain.snapshot import Deployment
from gateway.egress.client import Outbound
from gateway.failure import End, UpstreamFailure, of_status
from gateway.openai.embedding import EmbeddingRequest
from gateway.openai.request import ChatRequest

Translate = Callable[[bytes], bytes]
"""Fed with an upstream's stream as it comes, gives OpenAI's events: whole ones, or nothing yet.

Raises `UpstreamFailure` before the answer has begun; later a failure is an event.
"""


class Adapter(Protocol):
    """One wire format: a module. Usage is read off OpenAI's shape by whoever bills it."""

    def outbound(
        self,
        deployment: Deployment,
        request: ChatRequest,
        key: Secret | None,
        *,
        asks_usage: bool,
    ) -> Outbound:
        """Raises `UpstreamFailure` UNSUPPORTED for what this format cannot say.

        `asks_usage`: a stream is asked for usage that its caller did not ask for.
        """

    def ignored(self, request: ChatRequest) -> Sequence[str]:
        """Fields of a request that this format leaves out: they change nothing of what is said."""

    def answer(self, body: bytes, deployment: Deployment) -> bytes:
        """A whole answer in OpenAI's shape. Raises `UpstreamFailure`."""

    def stream(self, deployment: Deployment, request: ChatRequest) -> Translate | None:
        """None: the upstream streams OpenAI's events itself."""

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """What an answer that is no success means."""


class Embedder(Protocol):
    """Embeddings in one wire format: a module."""

    def embed(
        self, deployment: Deployment, request: EmbeddingRequest, key: Secret | None
    ) -> Outbound:
        """Raises `UpstreamFailure` UNSUPPORTED for what this format cannot say."""

    def unembedded(self, request: EmbeddingRequest) -> Sequence[str]:
        """Fields of a request that this format leaves out: they change nothing."""

    def embedded(self, body: bytes, deployment: Deployment, request: EmbeddingRequest) -> bytes:
        """An answer in OpenAI's shape. Raises `UpstreamFailure`."""


def unsupported(param: str, why: str = "") -> UpstreamFailure:
    """`param` is the path of what a format cannot honour: another candidate may."""
    return UpstreamFailure(End.UNSUPPORTED, f"cannot honour `{param}`{why}", param=param)


def malformed(words: str = "gave an answer that could not be read") -> UpstreamFailure:
    return UpstreamFailure(End.MALFORMED, words)


class _Detail(msgspec.Struct):
    message: str
    type: str
    code: str | None
    param: str | None = None


class _Error(msgspec.Struct):
    error: _Detail


_CODES: Mapping[End, str] = {
    End.CONTEXT_LENGTH: "context_length_exceeded",
    End.CONTENT_FILTER: "content_filter",
}


def native_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """As of any status, with a body that OpenAI's clients understand."""
    failure = of_status(status, headers, body)
    return told(failure) if failure.body else failure


def told(failure: UpstreamFailure) -> UpstreamFailure:
    """With a body in OpenAI's shape."""
    detail = _Detail(failure.words, "invalid_request_error", _CODES.get(failure.end))
    failure.body = msgspec.json.encode(_Error(detail))
    return failure
