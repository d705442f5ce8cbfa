"""What a model said to a request that came by GraphQL: the whole of it, or piece by piece."""

import uuid

import msgspec

from domain.decision import Decision
from domain.usage import TokenUsage


class ToolCall(msgspec.Struct, frozen=True):
    """A call the model asks for, or in a stream a part of one: parts with one `index` belong
    together, and their `arguments`, JSON as text, are to be joined."""

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Said(msgspec.Struct, frozen=True):
    """What the model said. `finish_reason` is OpenAI's, None until the answer ends."""

    text: str = ""
    reasoning: str = ""
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None

    def __bool__(self) -> bool:
        return self != _NOTHING


_NOTHING = Said()


class Receipt(msgspec.Struct, frozen=True):
    """Who answered, for how much. `cost` is nano-USD, None where the price is unknown."""

    request_id: uuid.UUID
    provider: str
    model: str
    usage: TokenUsage
    estimated: bool
    cost: int | None
    decision: Decision


class Completion(msgspec.Struct, frozen=True):
    """A whole answer."""

    said: Said
    receipt: Receipt
