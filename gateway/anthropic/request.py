"""A Messages request as it came: what routing needs is read, everything else stays as it is."""

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from copy import copy
from typing import Annotated

import msgspec

from domain.errors import MalformedRequest
from domain.principal import Principal
from domain.request import RequestFacts
from domain.ruleset import PowerLevel
from domain.snapshot import Capability, Modality
from domain.tokens import Count, TokenCounter
from gateway.adapter.base import unsupported
from gateway.openai.request import LONGEST_NAME, MOST_TOKENS, SESSION_HEADER, decoded

LEAST_BUDGET = 1024
"""Tokens to think in; fewer are refused."""
VERSION = "2023-06-01"
"""What a caller that names none gets. Later ones changed what is taken, not how it is said."""
_SENDABLE = re.compile(r"[ -~]{1,4096}")
_MODALITIES: Mapping[str, Modality] = {"image": Modality.IMAGE, "document": Modality.PDF}
_COUNTED = ("messages", "system", "tools")
_HOUR = b'"1h"'
"""How what is kept is to be kept so long by a cache."""
_PLAIN = frozenset(
    {
        "cache_control",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "top_k",
        "top_p",
    }
)
"""Fields with which an answer is text and nothing else, where thinking is off."""


class _Source(msgspec.Struct, frozen=True, gc=False):
    type: str = ""


class _Block(msgspec.Struct):
    """What tools of Anthropic's found may be an object, and the source of a search a name."""

    type: str = ""
    content: "str | list[_Block] | _Block | None" = None
    source: _Source | str | None = None

    @property
    def is_text(self) -> bool:
        """A document may be given as text."""
        return isinstance(self.source, _Source) and self.source.type in ("text", "content")


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Format(msgspec.Struct, gc=False):
    type: str = ""


class _Output(msgspec.Struct):
    format: _Format | None = None


class _Thinking(msgspec.Struct, gc=False):
    type: str = ""
    budget_tokens: int | None = None


class _Metadata(msgspec.Struct, gc=False):
    user_id: str | None = None


class Prompt(msgspec.Struct):
    """What a count of tokens is about."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]


class Head(Prompt, kw_only=True):
    """The fields routing reads."""

    max_tokens: Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]
    stream: bool | None = None
    tools: list[msgspec.Raw] | None = None
    output_config: _Output | None = None
    output_format: _Format | None = None
    metadata: _Metadata | None = None
    thinking: _Thinking | None = None


_NULL = msgspec.Raw(b"null")
_head = msgspec.json.Decoder(Head)
_prompt = msgspec.json.Decoder(Prompt)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class MessagesRequest:
    """`fields` is the body's top level, raw. `version` and `betas` are the caller's headers."""

    __slots__ = ("_head", "betas", "fields", "max_tokens", "model", "stream", "version")

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises `MalformedRequest`, which says what is wrong and where."""
        self._head = head = decoded(body, _head.decode)
        self.fields = _fields.decode(body)
        self.model = head.model
        self.stream = bool(head.stream)
        self.max_tokens = head.max_tokens
        self.version = _header(headers, "anthropic-version") or VERSION
        self.betas = _header(headers, "anthropic-beta")

    @property
    def thinks(self) -> bool:
        """Whether thoughts are asked for."""
        thinking = self._head.thinking
        return thinking is not None and thinking.type != "disabled"

    @property
    def is_plain_text(self) -> bool:
        """No tools, no thoughts, no form, no beginning of the caller's own: the answer is text."""
        head = self._head
        asked = {name for name, value in self.fields.items() if value != _NULL}
        cites = b'"citations"' in bytes(self.fields["messages"])
        begun = head.messages[-1].role == "assistant"
        return asked <= _PLAIN and not (self.thinks or cites or begun)

    def prefilled(self, text: str, tokens: int) -> "MessagesRequest":
        """With the beginning of its answer, whose about `tokens` count to the limit."""
        begun = msgspec.json.encode({"role": "assistant", "content": text})
        messages = bytes(self.fields["messages"]).rstrip().removesuffix(b"]")
        made = self.capped(max(self.max_tokens - tokens, 1))
        made.fields |= {"messages": msgspec.Raw(messages + b"," + begun + b"]")}
        return made

    def capped(self, tokens: int) -> "MessagesRequest":
        """The same with this limit of output, and no more to think than leaves room for an answer.

        Raises `UpstreamFailure` UNSUPPORTED where that is less than there may be.
        """
        made = copy(self)
        made.fields = self.fields | {"max_tokens": msgspec.Raw(b"%d" % tokens)}
        made.max_tokens = tokens
        thinking = self._head.thinking
        budget = None if thinking is None else thinking.budget_tokens
        # Who lets it think between the calls of tools may set more than one answer's limit.
        if budget is not None and tokens <= budget < self.max_tokens:
            if tokens <= LEAST_BUDGET:
                raise unsupported("thinking.budget_tokens", f" within {tokens} tokens")
            said = _fields.decode(self.fields["thinking"])
            said["budget_tokens"] = msgspec.Raw(b"%d" % (tokens - 1))
            made.fields["thinking"] = msgspec.Raw(msgspec.json.encode(said))
        return made

    def size(self, counter: TokenCounter) -> Count:
        return counter.count(_counted(self.fields))

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        """What a routing decision depends on; `now` in Unix seconds."""
        modalities = frozenset({Modality.TEXT, *_modalities(self._head)})
        level = principal.power_level
        return RequestFacts(
            id=id,
            now=now,
            model=self.model,
            user_id=principal.user_id,
            input_tokens=size.tokens,
            input_estimated=size.estimated,
            max_tokens=self.max_tokens,
            stream=self.stream,
            needs=self._needs(modalities),
            modalities=modalities,
            organization_id=principal.organization_id,
            level=None if level is None else PowerLevel(level),
            allowed_models=principal.allowed_models,
            session=self._session(principal, headers),
            keeps_an_hour=any(_HOUR in bytes(each) for each in self.fields.values()),
        )

    def _needs(self, modalities: frozenset[Modality]) -> frozenset[Capability]:
        head = self._head
        needs = set()
        if head.tools:
            needs.add(Capability.TOOLS)
        wanted = head.output_format or (head.output_config and head.output_config.format)
        if wanted and wanted.type == "json_schema":
            needs.add(Capability.JSON_SCHEMA)
        if Modality.IMAGE in modalities:
            needs.add(Capability.VISION)
        return frozenset(needs)

    def _session(self, principal: Principal, headers: Mapping[str, str]) -> str | None:
        """The caller's own, else the person and the system prompt that a cache would hold."""
        given = headers.get(SESSION_HEADER)
        if given:
            return f"{principal.user_id}:{given}"
        system = self.fields.get("system")
        if system is None:
            return None
        prompt = hashlib.blake2b(bytes(system), digest_size=16).hexdigest()
        metadata = self._head.metadata
        user = metadata.user_id if metadata is not None else None
        return f"{principal.user_id}:{user or ''}:{prompt}"


def count(body: bytes, counter: TokenCounter) -> int:
    """The tokens of a prompt, by our own count. Raises `MalformedRequest`."""
    decoded(body, _prompt.decode)
    return counter.count(_counted(_fields.decode(body))).tokens


def _counted(fields: Mapping[str, msgspec.Raw]) -> bytes:
    return b"".join(bytes(fields[name]) for name in _COUNTED if name in fields)


def _modalities(head: Head) -> Iterator[Modality]:
    for message in head.messages:
        if isinstance(message.content, list):
            yield from _of_blocks(message.content)


def _of_blocks(blocks: list[_Block]) -> Iterator[Modality]:
    for block in blocks:
        if block.type in _MODALITIES and not block.is_text:
            yield _MODALITIES[block.type]
        if isinstance(block.content, list):
            yield from _of_blocks(block.content)
        elif isinstance(block.content, _Block):
            yield from _of_blocks([block.content])


def _header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    if value is not None and not _SENDABLE.fullmatch(value):
        raise MalformedRequest(f"The header `{name}` has characters that cannot be passed on.")
    return value
