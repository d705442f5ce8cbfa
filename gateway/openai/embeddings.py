"""POST /v1/embeddings: OpenAI's format, as callers speak it."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from domain.principal import Principal
from domain.request import RequestFacts
from domain.secret import Secret
from domain.snapshot import Deployment
from domain.tokens import Count, TokenCounter
from gateway import errors
from gateway.adapter.adapters import EMBEDDERS
from gateway.adapter.base import Embedder, unsupported
from gateway.bill import Bill
from gateway.egress.client import Outbound
from gateway.format import Errors, Request, Whole, Writer
from gateway.openai.embedding import EmbeddingRequest
from gateway.openai.usage import priced
from gateway.stream import Scanner

__all__ = ["Embedding", "decode", "errors"]

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def decode(body: bytes, headers: Mapping[str, str]) -> "Embedding":
    """Raises `MalformedRequest`."""
    return Embedding(EmbeddingRequest(body))


class Embedding:
    """An embeddings request: never streamed, and paid for by its input."""

    __slots__ = ("_request", "choices", "errors", "member", "rest", "shows_usage", "stream")

    def __init__(self, request: EmbeddingRequest) -> None:
        self.errors: Errors = errors
        self.member = "data"
        self.choices = 1
        self.stream = self.shows_usage = False
        self.rest: Callable[[str, int], Request] | None = None
        self._request = request

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        return self._request.facts(id, now, principal, headers, size)

    def roughly(self) -> Count | None:
        """All that it costs is its input."""
        return None

    def size(self, counter: TokenCounter) -> Count:
        return self._request.count(counter)

    def capped(self, deployment: Deployment, tokens: int) -> "Embedding":
        """As it is: there is no output to limit."""
        return self

    def outbound(self, deployment: Deployment, key: Secret | None, *, asks_usage: bool) -> Outbound:
        return _embedder(deployment).embed(deployment, self._request, key)

    def ignored(self, deployment: Deployment) -> Sequence[str]:
        return _embedder(deployment).unembedded(self._request)

    @property
    def is_at_list(self) -> bool:
        return True

    def surcharges(self, deployment: Deployment, *, bounded: bool) -> Sequence[str]:
        return ()

    def read(self, deployment: Deployment, body: bytes) -> bytes:
        return _embedder(deployment).embedded(body, deployment, self._request)

    def reader(self, deployment: Deployment) -> tuple[Scanner, Writer]:
        raise unsupported("stream")

    def tell(self, deployment: Deployment, answer: Whole, bill: Bill) -> bytes:
        told: dict[str, Any]
        if bill.estimated or answer.usage is None:
            ours: dict[str, Any] = {
                "prompt_tokens": bill.usage.input,
                "total_tokens": bill.usage.input,
            }
            told = ours | {"estimated": True}
        else:
            told = dict(_fields.decode(answer.usage))
        return _encode(_fields.decode(answer.body) | {"usage": told | priced(bill)})


def _embedder(deployment: Deployment) -> Embedder:
    embedder = EMBEDDERS.get(deployment.provider.type)
    if embedder is None:
        raise unsupported("model", ": this type of provider has no embeddings")
    return embedder
