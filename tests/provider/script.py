"""What the fake provider was asked and what it says to it, whatever the format."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.provider.behaviour import Behaviour

CREATED = 1_700_000_000
"""Unix seconds: fixed, so that an answer is the same each time."""
ARGUMENTS = ['{"', "city", '":"', "Bern", '"}']
"""Of every tool call, as streamed."""
ABSURD = (-5, 10**15)


@dataclass(slots=True)
class Asked:
    """A request of any format. `texts` are role and text; `cap` limits the words.

    `with_usage`: its stream reports usage.
    """

    body: dict[str, Any]
    model: str
    stream: bool
    texts: list[tuple[str, str]]
    tools: list[str] = field(default_factory=list)
    cap: int | None = None
    with_usage: bool = True


class Script:
    """One completion: its words, how it ends and what it costs, decided before the first byte."""

    def __init__(self, asked: Asked, behaviour: Behaviour) -> None:
        self.tools = (asked.tools or ["weather"] * 9)[: behaviour.tools]
        words = ARGUMENTS * len(self.tools) if self.tools else _words(asked, behaviour)
        self.words = words if asked.cap is None else words[: asked.cap]
        self.cut_short = len(self.words) < len(words)
        counted = sum(len(text.split()) for _, text in asked.texts)
        self.input = counted if behaviour.input_tokens is None else behaviour.input_tokens
        given = len(self.words) if behaviour.output_tokens is None else behaviour.output_tokens
        self.output = given if asked.cap is None else min(given, asked.cap)
        self.cached, self.written = behaviour.cached_tokens, behaviour.written_tokens
        self.hour = behaviour.hour_tokens
        self.searches = behaviour.searches
        self.reasoning = behaviour.reasoning_tokens
        self.absurd = behaviour.absurd
        self.reports = behaviour.usage


def _words(asked: Asked, behaviour: Behaviour) -> list[str]:
    if behaviour.echo:
        said = [text for role, text in asked.texts if role == "user"]
        return [f"{word} " for word in (said[-1] if said else "").split()]
    role, begun = asked.texts[-1] if asked.texts else ("", "")
    given = len(begun.split()) if role in ("assistant", "model") else 0
    label = asked.model.partition("-")[0]
    stem = "other" if label == "other" else "word"
    return [f"{stem}{number} " for number in range(given, behaviour.chunks)]


class Answer(Protocol):
    """A script in the words of a format. An answer that is streamed is `opening`, then `contents`
    with one piece for each word (empty where a word is held back), `closing`, `terminal`."""

    usage: dict[str, Any] | None

    def whole(self) -> bytes: ...
    def opening(self) -> bytes: ...
    def contents(self) -> list[bytes]: ...
    def closing(self) -> bytes: ...


class Format(Protocol):
    """A module. `terminal` ends every stream, empty where a clean end does."""

    terminal: bytes

    def asked(self, path: str, body: Any) -> Asked | None:
        """None when it is no request of this format."""

    def answer(self, number: int, asked: Asked, script: Script) -> Answer: ...

    def error(self, status: int, message: str, code: str | None = None) -> Any:
        """The body of an error."""

    def refusal(self, kind: str) -> tuple[int, Any]:
        """Status and body for a prompt that is too long, or filtered."""

    def failed(self) -> bytes:
        """The event of an error within a stream."""


class Turn:
    """One request with what is to be said to it, and how."""

    def __init__(self, format: Format, asked: Asked, behaviour: Behaviour, number: int) -> None:
        self.format, self.asked, self.behaviour = format, asked, behaviour
        self.script = Script(asked, behaviour)
        self.answer = format.answer(number, asked, self.script)
