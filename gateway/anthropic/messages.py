"""POST /v1/messages: Anthropic's Messages API, as callers speak it."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from domain.principal import Principal
from domain.request import RequestFacts
from domain.secret import Secret
from domain.snapshot import Deployment, ProviderType
from domain.tokens import Count, TokenCounter
from gateway.adapter.adapters import ADAPTERS
from gateway.adapter.anthropic.request import posted
from gateway.adapter.base import malformed
from gateway.anthropic import errors
from gateway.anthropic.answer import is_readable, message
from gateway.anthropic.blocks import UNSIGNED
from gateway.anthropic.mirror import Mirror, MirrorWriter
from gateway.anthropic.request import MessagesRequest, count
from gateway.anthropic.translate import chat, ignored
from gateway.anthropic.usage import costed
from gateway.anthropic.writer import Writer
from gateway.bill import Bill
from gateway.egress.client import Outbound
from gateway.failure import UpstreamFailure
from gateway.format import Errors, Request, Whole
from gateway.format import Writer as Tells
from gateway.openai.request import ChatRequest
from gateway.stream import Scanner
from gateway.surcharge import MESSAGES, MESSAGES_NAMES, asked, billed_tools

__all__ = ["Message", "counted", "decode", "errors"]

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


_fields_or_none = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_PLAIN = ChatRequest.decode(b'{"model":"any","messages":[{}],"stream":true}')
"""Of a request, all that reading a stream depends on."""
_ASKED_AS: Mapping[str, str] = {
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "reasoning_effort": "thinking",
    "response_format": "output_config.format",
    "stop": "stop_sequences",
}
"""How a Messages request says what a chat request has by another name."""


def decode(body: bytes, headers: Mapping[str, str]) -> "Message":
    """Raises `MalformedRequest`."""
    return Message(MessagesRequest(body, headers))


def counted(body: bytes, counter: TokenCounter) -> bytes:
    """The answer of `count_tokens`, by our own count. Raises `MalformedRequest`."""
    return _encode({"input_tokens": count(body, counter)})


class Message:
    """A Messages request: as it is to Anthropic's API, as a chat request to others."""

    __slots__ = (
        "_begun",
        "_chat",
        "_chat_for",
        "_input_tokens",
        "_request",
        "choices",
        "errors",
        "member",
        "shows_usage",
        "stream",
    )

    def __init__(self, request: MessagesRequest, begun: tuple[str, int] | None = None) -> None:
        """`begun`: the text of an answer to go on with, and about its tokens; empty: of none."""
        self.errors: Errors = errors
        self.member = "choices"
        self.choices = 1
        self.stream = request.stream
        # A provider that refuses to be asked for usage is asked without.
        self.shows_usage = False
        self._request = request
        self._begun = begun
        self._input_tokens = 0
        self._chat: ChatRequest | None = None
        self._chat_for: Deployment | None = None

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        self._input_tokens = size.tokens
        return self._request.facts(id, now, principal, headers, size)

    def roughly(self) -> Count | None:
        """A stream begins with its figure."""
        return None

    def size(self, counter: TokenCounter) -> Count:
        return self._request.size(counter)

    def capped(self, deployment: Deployment, tokens: int) -> "Message":
        made = Message(self._request.capped(tokens), self._begun)
        made._input_tokens = self._input_tokens
        return made

    @property
    def rest(self) -> Callable[[str, int], Request] | None:
        # Kept, it would be a cycle, and each request would wait for the collector.
        return self._rest if self.stream and self._request.is_plain_text else None

    def _rest(self, text: str, tokens: int) -> "Message":
        made = Message(self._request, (text, tokens))
        made._input_tokens = self._input_tokens
        return made

    def outbound(self, deployment: Deployment, key: Secret | None, *, asks_usage: bool) -> Outbound:
        if not _native(deployment):
            adapter, chat = ADAPTERS[deployment.provider.type], self._translated(deployment)
            try:
                return adapter.outbound(deployment, chat, key, asks_usage=asks_usage)
            except UpstreamFailure as failure:
                raise _as_asked(failure) from None
        request = self._request
        if self._begun is not None and self._begun[0]:
            request = request.prefilled(*self._begun)
        body = _encode(_own(request.fields) | {"model": deployment.name})
        return posted(deployment, key, body, version=request.version, betas=request.betas)

    def ignored(self, deployment: Deployment) -> Sequence[str]:
        if _native(deployment):
            return ()
        theirs = ADAPTERS[deployment.provider.type].ignored(self._translated(deployment))
        return [*ignored(self._request, deployment), *theirs]

    @property
    def is_at_list(self) -> bool:
        return MESSAGES_NAMES.isdisjoint(self._request.fields)

    def surcharges(self, deployment: Deployment, *, bounded: bool) -> Sequence[str]:
        if not _native(deployment):
            # Others are told none of these fields.
            return ()
        fields = self._request.fields
        return [*asked(fields, MESSAGES), *billed_tools(fields, bounded=bounded)]

    def read(self, deployment: Deployment, body: bytes) -> bytes:
        answer = ADAPTERS[deployment.provider.type].answer(body, deployment)
        if not _native(deployment) and not is_readable(answer):
            raise malformed()
        return answer

    def reader(self, deployment: Deployment) -> tuple[Scanner, Tells]:
        translate = ADAPTERS[deployment.provider.type].stream(deployment, _PLAIN)
        if translate is not None and _native(deployment) and self._begun is None:
            mirror = Mirror(translate)
            return mirror, MirrorWriter(mirror)
        scanner = Scanner(shows_usage=False, translate=translate, careful=True)
        return scanner, Writer(self._input_tokens, thinks=self._request.thinks)

    def tell(self, deployment: Deployment, answer: Whole, bill: Bill) -> bytes:
        if not _native(deployment):
            return message(answer.body, bill, thinks=self._request.thinks)
        fields = _fields.decode(answer.native)
        said = fields.get("usage")
        figures = None if said is None else _fields_or_none.decode(said)
        return _encode({**fields, "usage": costed(figures, bill)})

    def _translated(self, deployment: Deployment) -> ChatRequest:
        """Kept, as a request is asked for its parts one after another."""
        if self._chat is None or self._chat_for is not deployment:
            said = chat(self._request, deployment)
            if self._begun is not None and self._begun[0]:
                said = said.prefilled(*self._begun)
            self._chat, self._chat_for = said, deployment
        return self._chat


def _native(deployment: Deployment) -> bool:
    return deployment.provider.type is ProviderType.ANTHROPIC


def _own(fields: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    """Without thoughts that an answer of ours had from another provider: nobody signed them."""
    messages = fields["messages"]
    if UNSIGNED.encode() not in bytes(messages):
        return dict(fields)
    turns = msgspec.json.decode(messages)
    for turn in turns:
        if isinstance(turn["content"], list):
            turn["content"] = [
                block for block in turn["content"] if block.get("signature") != UNSIGNED
            ]
    return {**fields, "messages": [turn for turn in turns if turn["content"]]}


def _as_asked(failure: UpstreamFailure) -> UpstreamFailure:
    """By the caller's own name for what a provider cannot honour."""
    name = _ASKED_AS.get(failure.param or "")
    if name is not None:
        failure.words = failure.words.replace(f"`{failure.param}`", f"`{name}`")
        failure.param = name
    return failure
