"""Usage as OpenAI's formats tell it, with what the answer costs."""

from typing import Any

import msgspec

from domain.pricing import dollars
from domain.usage import TokenUsage
from gateway.bill import Bill

_NULL = msgspec.Raw(b"null")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def told(raw: bytes | None, bill: Bill) -> dict[str, Any]:
    """The provider's figures, `raw`, as it gave them; ours where it gave none that can be true."""
    figures = _estimate(bill.usage) if bill.estimated or raw is None else _fields.decode(raw)
    return figures | priced(bill)


def priced(bill: Bill) -> dict[str, msgspec.Raw]:
    """What it cost; and where a wallet pays, what that is charged."""
    told = {"cost": cost(bill)}
    if bill.charged is not None:
        same = bill.charged == bill.cost
        told["charged"] = told["cost"] if same else msgspec.Raw(dollars(bill.charged).encode())
    return told


def cost(bill: Bill) -> msgspec.Raw:
    """US dollars, exact to the last digit; null where the price is unknown."""
    return _NULL if bill.cost is None else msgspec.Raw(dollars(bill.cost).encode())


def with_usage(answer: bytes, raw: bytes | None, bill: Bill) -> bytes:
    """A whole answer with its usage, of which `raw` is the provider's, and cost; all else is as it
    was."""
    ours = raw is None or bill.estimated or b'"cost"' in raw or b'"charged"' in raw
    place = -1 if raw is None or ours else answer.rfind(raw)
    if raw is not None and place >= 0 and answer.find(raw) == place:
        # Where these bytes occur once they are the usage: what else is said stays as it is.
        end = place + raw.rindex(b"}")
        return answer[:end] + b"," + _encode(priced(bill))[1:-1] + answer[end:]
    return _encode(_fields.decode(answer) | {"usage": told(raw, bill)})


def _estimate(usage: TokenUsage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "estimated": True,
    }
