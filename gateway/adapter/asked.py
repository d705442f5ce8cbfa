"""A chat request in full, for formats that have to say it in their own words."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from gateway.adapter.base import unsupported
from gateway.failure import End, UpstreamFailure
from gateway.openai.request import ChatRequest, misshapen

LONGEST_NAME = 100
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
NONE = msgspec.Raw(b"null")
EMPTY = msgspec.Raw(b"{}")
_SAID_NOTHING = (NONE, EMPTY, msgspec.Raw(b"false"))
IGNORED = frozenset(
    {
        "metadata",
        "model",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "store",
        "stream",
        "stream_options",
        "user",
    }
)
"""Fields that change nothing of what is said."""
OURS = frozenset({"model", "stream", "stream_options"})
"""Of these, what is honoured in another way."""
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "function_call": ("auto", "none"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "presence_penalty": (0,),
    "service_tier": ("auto", "default"),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
}
"""Values that ask for nothing beyond what every provider does."""


class Url(msgspec.Struct):
    url: str


class Audio(msgspec.Struct):
    data: str
    format: str


class File(msgspec.Struct):
    file_data: str | None = None
    filename: str | None = None


class Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: Url | str | None = None
    input_audio: Audio | None = None
    file: File | None = None
    cache_control: msgspec.Raw = NONE


class Function(msgspec.Struct):
    name: str
    arguments: str = ""


class Call(msgspec.Struct):
    """`extra_content` is where Google's own endpoint puts what has to come back."""

    function: Function
    id: str = ""
    extra_content: dict[str, dict[str, Any]] | None = None


class Message(msgspec.Struct):
    """`thinking_blocks` are Anthropic's, as an earlier answer gave them."""

    role: str = ""
    content: str | list[Part] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[dict[str, msgspec.Raw]] | None = None

    def parts(self) -> list[Part]:
        """What is said, empty text left out."""
        if isinstance(self.content, str):
            return [Part("text", self.content)] if self.content else []
        return [
            part
            for part in self.content or ()
            if part.type != "text" or part.text not in (None, "")
        ]


class Declared(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NONE
    strict: bool | None = None


class Tool(msgspec.Struct):
    type: str = "function"
    function: Declared | None = None
    cache_control: msgspec.Raw = NONE


class Named(msgspec.Struct):
    name: str


class Choice(msgspec.Struct):
    type: str = "function"
    function: Named | None = None


class Schema(msgspec.Struct):
    schema: msgspec.Raw = NONE


class Format(msgspec.Struct):
    type: str = "text"
    json_schema: Schema | None = None


class Asked(msgspec.Struct):
    """Null is the same as absent, as at OpenAI."""

    messages: list[Message]
    max_tokens: Whole | None = None
    max_completion_tokens: Whole | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: Whole | None = None
    stop: str | list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None
    reasoning_effort: str | None = None
    seed: Whole | None = None
    n: Whole | None = None
    logprobs: bool | None = None
    top_logprobs: Whole | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    user: str | None = None

    @property
    def cap(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else self.stop or []

    @property
    def forced(self) -> str | None:
        """The tool that must be called, if one must."""
        choice = self.tool_choice
        if not isinstance(choice, Choice):
            return None
        if choice.type != "function" or choice.function is None:
            raise unsupported("tool_choice")
        return choice.function.name


_asked = msgspec.json.Decoder(Asked)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def read(request: ChatRequest, taken: frozenset[str]) -> Asked:
    """Raises `UpstreamFailure` UNSUPPORTED for a field not `taken` that would change anything."""
    for name, value in request.fields.items():
        if name not in taken and name not in IGNORED and not _neutral(name, value):
            raise unsupported(name[:LONGEST_NAME])
    try:
        return _asked.decode(_encode(request.fields))
    except (msgspec.DecodeError, RecursionError) as error:
        wrong = misshapen(str(error))
        words = f"cannot read this: {wrong.message.rstrip('.')}"
        raise UpstreamFailure(End.UNSUPPORTED, words, param=wrong.param) from None


def ignored(request: ChatRequest) -> Sequence[str]:
    """Those of `IGNORED` that ask for something, by name."""
    return sorted(
        name
        for name, value in request.fields.items()
        if name in IGNORED and name not in OURS and value not in _SAID_NOTHING
    )


def _neutral(name: str, value: msgspec.Raw) -> bool:
    try:
        said = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return False
    return said is None or said in NEUTRAL.get(name, ())


def an_object(text: str, param: str) -> msgspec.Raw:
    """JSON text that is an object, empty text being an empty one."""
    if not text.strip():
        return msgspec.Raw(b"{}")
    try:
        _fields.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise unsupported(param, ": it is no JSON object") from None
    return msgspec.Raw(text.encode())


def data_url(url: str, param: str) -> tuple[str, str] | None:
    """Media type and base64 of a data: URL, None of another."""
    if not url.startswith("data:"):
        return None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        raise unsupported(param, ": a data URL has a media type and base64")
    return head.removesuffix(";base64").split(";")[0], data
