"""One cell of the fault table: a fault, a format in, a format out and a mode."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.snapshot import ProviderType


class In(StrEnum):
    """How the caller asks; the value is the route below /v1."""

    CHAT = "chat/completions"
    MESSAGES = "messages"
    EMBEDDINGS = "embeddings"


OUT = {
    ProviderType.CUSTOM: "OpenAI",
    ProviderType.ANTHROPIC: "Anthropic",
    ProviderType.GOOGLE: "Gemini",
}


@dataclass(frozen=True)
class Fault:
    """`parts` is what the fake provider's model is called after its label.

    `times` requests are made, one after another. `prefill`: the last turn is the assistant's.
    `tools`: some are on offer, so that the answer may be more than text.
    `alone`: cells are not run side by side. `streams`: it is no fault of a whole answer.
    """

    title: str
    parts: str
    times: int = 1
    prefill: bool = False
    tools: bool = False
    alone: bool = False
    streams: bool = False

    @property
    def cells(self) -> list["Cell"]:
        return [
            cell
            for cell in CELLS
            if (cell.stream or not self.streams)
            and not ((self.prefill or self.tools) and cell.format is In.EMBEDDINGS)
        ]


@dataclass(frozen=True, order=True)
class Cell:
    format: In
    out: ProviderType
    stream: bool

    @property
    def name(self) -> str:
        return f"{self.format.value} to {OUT[self.out]}{', streamed' if self.stream else ''}"


@dataclass(frozen=True)
class Result:
    """`attempts` are `who: how it ended`; `billed` is told in tokens and dollars."""

    got: str
    attempts: tuple[str, ...]
    billed: str


CELLS = [
    *(Cell(In.CHAT, out, stream) for out in OUT for stream in (False, True)),
    *(Cell(In.MESSAGES, out, stream) for out in OUT for stream in (False, True)),
    *(Cell(In.EMBEDDINGS, out, False) for out in (ProviderType.CUSTOM, ProviderType.GOOGLE)),
]
FAULTS = [
    Fault("429 with Retry-After: 1, once", "fail429r1x1"),
    Fault("429 with Retry-After: 30", "fail429r30"),
    Fault("429 without Retry-After", "fail429"),
    Fault("500 once", "fail500x1"),
    Fault("500 for ever", "fail500"),
    Fault("503 for ever", "fail503"),
    Fault("flapping: 503, then well", "flap1", times=2),
    Fault("connection reset before headers, once", "resetx1"),
    Fault("connection reset before headers, for ever", "reset"),
    Fault("silence", "silent"),
    Fault("first token after 5 s", "t5000"),
    Fault("key refused (401)", "fail401"),
    Fault("no such model (404)", "typo"),
    Fault("prompt too long for the model", "contextlength"),
    Fault("prompt refused by a content filter", "contentfilter"),
    Fault("a model that refuses prefill", "noprefill", prefill=True),
    Fault("status 200 with an error for an answer", "error200"),
    Fault("a web page for an answer (wrong content type)", "html"),
    Fault("gzip bomb", "gzip"),
    Fault("connection closed before the first word", "cut0"),
    Fault("connection closed after 3 words", "cut3"),
    Fault("connection closed after 3 words, tools on offer", "cut3", tools=True, streams=True),
    Fault("connection reset after 3 words", "rst3"),
    Fault("stall after 3 words", "stall3"),
    Fault("malformed event after 3 words", "malformed3"),
    Fault("error event after 3 words", "inband3", streams=True),
    Fault("a line without end after 3 words", "huge3", alone=True),
    Fault("no [DONE] or message_stop", "nodone", streams=True),
    Fault("slow drip, 7 bytes at a time", "d7"),
    Fault("impossible usage figures", "absurd"),
    Fault("no usage figures", "nousage"),
]


def body(cell: Cell, fault: Fault, model: str) -> dict[str, Any]:
    """The request, as its format has it."""
    if cell.format is In.EMBEDDINGS:
        return {"model": model, "input": "one two three"}
    turns = [{"role": "user", "content": "one two three"}]
    if fault.prefill:
        turns.append({"role": "assistant", "content": "four"})
    asked: dict[str, Any] = {"model": model, "max_tokens": 20, "messages": turns}
    if fault.tools:
        named = {"name": "weather"}
        chat = {"type": "function", "function": named}
        message = named | {"input_schema": {"type": "object"}}
        asked["tools"] = [chat if cell.format is In.CHAT else message]
    return asked | ({"stream": True} if cell.stream else {})
