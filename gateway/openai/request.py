"""A chat request as it came: what routing needs is read, everything else stays as it is."""

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import msgspec

from domain.errors import MalformedRequest
from domain.principal import Principal
from domain.request import RequestFacts
from domain.ruleset import PowerLevel
from domain.snapshot import Capability, Modality
from domain.tokens import Count

SESSION_HEADER = "x-fairlead-session"
LONGEST_NAME = 300
MOST_TOKENS = 2**31 - 1
_MOST_CHOICES = 128
_AT = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")
_MODALITIES: Mapping[str, Modality] = {
    "image_url": Modality.IMAGE,
    "input_audio": Modality.AUDIO,
    "video_url": Modality.VIDEO,
    "file": Modality.PDF,
}
_TEXT = frozenset({Modality.TEXT})
_NOTHING = frozenset[Capability]()

Value = TypeVar("Value")
_HOUR = b'"1h"'
"""How a part of a prompt is to be kept so long by a cache."""
_BESIDES = ("logprobs", "audio", "modalities", "web_search_options")
"""Fields by which an answer is more than its text."""
_CAPS = ("max_tokens", "max_completion_tokens")

Tokens = Annotated[int, msgspec.Meta(ge=1, le=MOST_TOKENS)]


class _Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None


class _Message(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None


class _Format(msgspec.Struct, gc=False):
    type: str = ""


class _StreamOptions(msgspec.Struct, gc=False):
    include_usage: bool | None = None


class _Head(msgspec.Struct):
    """The fields routing reads; null is the same as absent, as at OpenAI."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    tools: list[msgspec.Raw] | None = None
    functions: list[msgspec.Raw] | None = None
    response_format: _Format | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=_MOST_CHOICES)] | None = None
    user: str | None = None
    prompt_cache_key: str | None = None


_head = msgspec.json.Decoder(_Head)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class ChatRequest:
    """`fields` is the body's top level, raw; `head` what was read of it.

    `prefills`: the last message is the beginning of the answer, to be gone on with.
    """

    __slots__ = (
        "_head",
        "choices",
        "fields",
        "max_tokens",
        "model",
        "prefills",
        "shows_usage",
        "stream",
    )

    def __init__(self, head: _Head, fields: dict[str, msgspec.Raw]) -> None:
        self._head = head
        self.fields = fields
        self.model = head.model
        self.stream = bool(head.stream)
        self.choices = head.n or 1
        self.max_tokens = head.max_completion_tokens or head.max_tokens
        options = head.stream_options
        self.shows_usage = options is not None and bool(options.include_usage)
        self.prefills = False

    @classmethod
    def decode(cls, body: bytes) -> "ChatRequest":
        """Raises `MalformedRequest`, which says what is wrong and where."""
        return cls(decoded(body, _head.decode), _fields.decode(body))

    @property
    def is_plain_text(self) -> bool:
        """One choice, no tools, no JSON mode: the answer is text and nothing else."""
        head, fields = self._head, self.fields
        form = head.response_format
        return (
            self.choices == 1
            and not (head.tools or head.functions)
            and (form is None or form.type in ("", "text"))
            and all(bytes(fields.get(name, b"null")) in (b"null", b"false") for name in _BESIDES)
        )

    def prefilled(self, text: str, tokens: int) -> "ChatRequest":
        """With the beginning of its answer, whose about `tokens` count to the limit."""
        begun = msgspec.json.encode({"role": "assistant", "content": text})
        messages = bytes(self.fields["messages"]).rstrip().removesuffix(b"]")
        fields = self.fields | {"messages": msgspec.Raw(messages + b"," + begun + b"]")}
        if self.max_tokens is not None:
            left = msgspec.Raw(b"%d" % max(self.max_tokens - tokens, 1))
            fields |= {name: left for name in _CAPS if bytes(fields.get(name, b"null")) != b"null"}
        made = ChatRequest(self._head, fields)
        made.prefills = True
        return made

    def capped(self, tokens: int, field: str) -> "ChatRequest":
        """The same with this limit of output, said in `field` where the caller said none."""
        said = [name for name in _CAPS if bytes(self.fields.get(name, b"null")) != b"null"]
        least = min([tokens, *(int(bytes(self.fields[name])) for name in said)])
        fields = {name: raw for name, raw in self.fields.items() if name not in _CAPS}
        fields[said[0] if said else field] = msgspec.Raw(b"%d" % least)
        made = ChatRequest(self._head, fields)
        made.max_tokens, made.prefills = least, self.prefills
        return made

    @property
    def input(self) -> bytes:
        """What is counted as its input."""
        raw, tools = bytes(self.fields["messages"]), self.fields.get("tools")
        return raw if tools is None else raw + bytes(tools)

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        """What a routing decision depends on; `now` in Unix seconds."""
        raw = bytes(self.fields["messages"])
        level, modalities = principal.power_level, self._modalities()
        return RequestFacts(
            id,
            now,
            self.model,
            principal.user_id,
            size.tokens,
            size.estimated,
            self.max_tokens,
            self.stream,
            self._needs(modalities),
            modalities,
            principal.organization_id,
            None if level is None else PowerLevel(level),
            principal.allowed_models,
            self._session(principal, headers),
            # Most prompts lack its digit, which is found missing at once.
            b"1" in raw and _HOUR in raw,
        )

    def _needs(self, modalities: frozenset[Modality]) -> frozenset[Capability]:
        head = self._head
        if modalities is _TEXT and not (head.tools or head.functions or head.response_format):
            return _NOTHING
        needs = set()
        if head.tools or head.functions:
            needs.add(Capability.TOOLS)
        if head.response_format is not None and head.response_format.type == "json_schema":
            needs.add(Capability.JSON_SCHEMA)
        if Modality.IMAGE in modalities:
            needs.add(Capability.VISION)
        return frozenset(needs)

    def _modalities(self) -> frozenset[Modality]:
        found = {
            _MODALITIES[part.type]
            for message in self._head.messages
            if isinstance(message.content, list)
            for part in message.content
            if part.type in _MODALITIES
        }
        return _TEXT | found if found else _TEXT

    def _session(self, principal: Principal, headers: Mapping[str, str]) -> str | None:
        """The caller's own, else the person and the system prompt that a cache would hold."""
        given = headers.get(SESSION_HEADER) or self._head.prompt_cache_key
        if given:
            return f"{principal.user_id}:{given}"
        first = self._head.messages[0]
        if first.role not in ("system", "developer") or not first.content:
            return None
        prompt = hashlib.blake2b(msgspec.json.encode(first.content), digest_size=16).hexdigest()
        return f"{principal.user_id}:{self._head.user or ''}:{prompt}"


def decoded(body: bytes, decode: Callable[[bytes], Value]) -> Value:
    """What a request's body says. Raises `MalformedRequest`, which says what is wrong and where."""
    try:
        if not body.isascii():
            body.decode()
        return decode(body)
    except msgspec.ValidationError as error:
        raise misshapen(str(error)) from None
    except msgspec.DecodeError as error:
        text = str(error).removeprefix("JSON is malformed: ")
        raise MalformedRequest(f"The body is not JSON: {text}.") from None
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise MalformedRequest("The body is nested too deeply.") from None


def misshapen(said: str) -> MalformedRequest:
    """msgspec's complaint as a sentence, with the path of the part at fault."""
    place = _AT.search(said)
    path = place[1] if place else ""
    missing = _MISSING.search(said)
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
        return MalformedRequest(f"`{path}` is missing.", param=path)
    text = _AT.sub("", said)
    where = f"`{path}`: " if path else "The body: "
    return MalformedRequest(f"{where}{text[:1].lower()}{text[1:]}.", param=path or None)
