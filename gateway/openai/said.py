"""Reads answers and chunks in OpenAI's shape into what a model said."""

from decimal import Decimal

import msgspec

from domain.completion import Said, ToolCall
from domain.errors import ProviderError
from domain.usage import TokenUsage
from gateway.adapter.openai import read_usage

_NANO = 9
_NULL = msgspec.Raw(b"null")


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function = msgspec.field(default_factory=_Function)


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []
    usage: msgspec.Raw = _NULL


class _Bill(msgspec.Struct):
    cost: Decimal | None = None
    estimated: bool = False


class Read(msgspec.Struct, frozen=True):
    """`usage` is None where it is not told. `cost` is nano-USD, None where unknown."""

    said: Said
    usage: TokenUsage | None = None
    estimated: bool = False
    cost: int | None = None


_answer = msgspec.json.Decoder(_Answer)
_bill = msgspec.json.Decoder(_Bill)


def read(body: bytes) -> Read:
    """An answer, or one chunk of a stream. Raises `ProviderError` for what is neither."""
    try:
        answer = _answer.decode(body)
        if answer.usage == _NULL:
            return Read(_said(answer))
        bill = _bill.decode(answer.usage)
    except msgspec.DecodeError as error:
        raise ProviderError("The answer has a shape that cannot be shown here.") from error
    cost = None if bill.cost is None else int(bill.cost.scaleb(_NANO))
    return Read(_said(answer), read_usage(answer.usage).usage, bill.estimated, cost)


def _said(answer: _Answer) -> Said:
    choice = answer.choices[0] if answer.choices else _Choice()
    message = choice.message or choice.delta or _Message()
    return Said(
        text=message.content or "",
        reasoning=message.reasoning_content or message.reasoning or "",
        refusal=message.refusal,
        tool_calls=tuple(
            ToolCall(
                position if call.index is None else call.index,
                call.id,
                call.function.name,
                call.function.arguments or "",
            )
            for position, call in enumerate(message.tool_calls or ())
        ),
        finish_reason=choice.finish_reason,
    )
