"""Usage as Anthropic tells it, with what the answer costs."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.bill import Bill
from gateway.openai.usage import priced


def told(bill: Bill) -> dict[str, Any]:
    """The input leaves out what was read from a cache or written to one."""
    usage = bill.usage
    figures: dict[str, Any] = {
        "input_tokens": max(usage.input - usage.cached - usage.cache_write, 0),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
    }
    if usage.reasoning:
        figures["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if bill.estimated:
        figures["estimated"] = True
    if usage.cache_write_1h:
        figures["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    return figures | priced(bill)


def costed(figures: Mapping[str, msgspec.Raw] | None, bill: Bill) -> dict[str, Any]:
    """Anthropic's own figures; ours where it gave none that can be true."""
    if bill.estimated or figures is None:
        return told(bill)
    return {**figures, **priced(bill)}
