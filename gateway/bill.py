"""What an answer's caller is told it used and costs."""

import msgspec

from domain.usage import TokenUsage


class Bill(msgspec.Struct, frozen=True):
    """`cost` is in nano-USD, None where the price is unknown. `estimated`: no figure came that
    can be true, and these are ours. `charged`: what a wallet pays for it, None where none does."""

    usage: TokenUsage
    estimated: bool
    cost: int | None
    charged: int | None = None
