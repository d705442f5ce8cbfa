"""POST /v1/chat/completions: OpenAI's chat format, as callers speak it."""

import uuid
from collections.abc import Callable, Mapping, Sequence

import msgspec

from domain.principal import Principal
from domain.request import RequestFacts
from domain.secret import Secret
from domain.snapshot import Deployment, ProviderType
from domain.tokens import Count, TokenCounter, roughly
from gateway import errors
from gateway.adapter.adapters import ADAPTERS
from gateway.bill import Bill
from gateway.continuation import Beginning, Sent
from gateway.egress.client import Outbound
from gateway.format import Errors, Request, Whole, Writer
from gateway.openai.request import ChatRequest
from gateway.openai.usage import told, with_usage
from gateway.stream import Scanner
from gateway.surcharge import CHAT, CHAT_NAMES, asked

__all__ = ["Completion", "decode", "errors"]

DONE = b"data: [DONE]\n\n"
HEARTBEAT = b": still working\n\n"

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def decode(body: bytes, headers: Mapping[str, str]) -> "Completion":
    """Raises `MalformedRequest`."""
    return Completion(ChatRequest.decode(body))


class Completion:
    """A chat request; what every provider is told follows from `chat`."""

    __slots__ = ("chat", "choices", "errors", "member", "shows_usage", "stream")

    def __init__(self, chat: ChatRequest) -> None:
        self.errors: Errors = errors
        self.member = "choices"
        self.chat = chat
        self.choices = chat.choices
        self.stream = chat.stream
        self.shows_usage = chat.shows_usage

    @property
    def rest(self) -> Callable[[str, int], Request] | None:
        # Kept, it would be a cycle, and each request would wait for the collector.
        return self._prefilled if self.stream and self.chat.is_plain_text else None

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        return self.chat.facts(id, now, principal, headers, size)

    def roughly(self) -> Count | None:
        return roughly(self.chat.input)

    def size(self, counter: TokenCounter) -> Count:
        return counter.count(self.chat.input)

    def capped(self, deployment: Deployment, tokens: int) -> "Completion":
        # Its reasoning models refuse the older name, and other servers may not know the newer.
        newer = deployment.provider.type is ProviderType.OPENAI
        field = "max_completion_tokens" if newer else "max_tokens"
        return Completion(self.chat.capped(tokens, field))

    def outbound(self, deployment: Deployment, key: Secret | None, *, asks_usage: bool) -> Outbound:
        adapter = ADAPTERS[deployment.provider.type]
        return adapter.outbound(deployment, self.chat, key, asks_usage=asks_usage)

    def ignored(self, deployment: Deployment) -> Sequence[str]:
        return ADAPTERS[deployment.provider.type].ignored(self.chat)

    @property
    def is_at_list(self) -> bool:
        return CHAT_NAMES.isdisjoint(self.chat.fields)

    def surcharges(self, deployment: Deployment, *, bounded: bool) -> Sequence[str]:
        if deployment.provider.type in (ProviderType.ANTHROPIC, ProviderType.GOOGLE):
            # They are told none of these fields.
            return ()
        return asked(self.chat.fields, CHAT)

    def _prefilled(self, text: str, tokens: int) -> "Completion":
        return Completion(self.chat.prefilled(text, tokens)) if text else self

    def read(self, deployment: Deployment, body: bytes) -> bytes:
        return ADAPTERS[deployment.provider.type].answer(body, deployment)

    def reader(self, deployment: Deployment) -> tuple[Scanner, Writer]:
        scanner = Scanner(
            shows_usage=self.shows_usage,
            choices=self.chat.choices,
            translate=ADAPTERS[deployment.provider.type].stream(deployment, self.chat),
        )
        return scanner, _Chunks(shows_usage=self.shows_usage)

    def tell(self, deployment: Deployment, answer: Whole, bill: Bill) -> bytes:
        return with_usage(answer.body, answer.usage, bill)


class _Chunks:
    """A stream is told as it is scanned."""

    __slots__ = ("_sent", "_shows_usage", "heartbeat")

    def __init__(self, *, shows_usage: bool) -> None:
        self.heartbeat = HEARTBEAT
        self._shows_usage = shows_usage
        self._sent = Sent()

    def write(self, events: bytes) -> bytes:
        self._sent.add(events)
        return events

    def finish(self, scanner: Scanner, bill: Bill) -> bytes:
        if not self._shows_usage:
            return DONE
        last = _fields.decode(scanner.last)
        closing = last | {"choices": [], "usage": told(scanner.usage, bill)}
        return b"data: " + _encode(closing) + b"\n\n" + DONE

    def said(self) -> bytes | None:
        return self._sent.said()

    def beginning(self) -> Beginning | None:
        return self._sent.beginning()

    def going_on(self) -> "_Chunks":
        return self
