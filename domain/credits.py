"""What a request may cost before it is sent: bounds that no answer exceeds, in nano-USD."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from domain.request import RequestFacts
from domain.snapshot import CreditSettings, Deployment, Modality, Price

UNASKED_OUTPUT = 8_192
"""Output tokens of a request that sets no limit, where money is held for it."""
_INPUT_SHARE = 4
_INPUT_BESIDE = 512
"""Providers count otherwise than we do, and add words of their own: a quarter and these tokens."""


class WalletKind(StrEnum):
    """Whose wallet it is."""

    USER = "USER"
    ORGANIZATION = "ORGANIZATION"


class Bound(msgspec.Struct, frozen=True, gc=False):
    """What one candidate's answer may cost: `before` its first output token, then `each`.

    `before` in nano-USD, rounded up; `each` in pico-USD by 10,000, markup included. `tokens` is
    the longest answer, of all choices together `choices` times that, and `worst` its cost.
    """

    before: int
    each: int
    tokens: int
    choices: int
    worst: int

    @property
    def least(self) -> int:
        """The worst that an answer of a single token may cost."""
        return self.cost(1)

    def cost(self, tokens: int) -> int:
        """The worst of answers of `tokens` tokens."""
        return _cost(self.before, self.each, tokens * self.choices)

    def covered(self, amount: int) -> int:
        """How many output tokens `amount` pays for, at most `tokens`; below 1: none."""
        if amount >= self.worst:
            return self.tokens
        room = (amount - self.before) * 10_000_000
        return room // (self.each * self.choices) if self.each else self.tokens


def bound_of(
    facts: RequestFacts, choices: int, deployment: Deployment, price: Price, markup: int
) -> Bound:
    """`markup` in basis points. Where the caller sets no limit of output, ours applies."""
    longest = facts.max_tokens
    if longest is None:
        longest = min(deployment.max_output_tokens or UNASKED_OUTPUT, UNASKED_OUTPUT)
    dearest = max(price.input, price.cached_input or 0, price.cache_write or 0)
    if facts.keeps_an_hour:
        dearest = max(dearest, price.cache_write_1h or 0)
    with_markup = 10_000 + markup
    before = _up(_most_input(facts, deployment) * dearest * with_markup)
    each = max(price.output, price.reasoning or 0) * with_markup
    return Bound(before, each, longest, choices, _cost(before, each, longest * choices))


def _most_input(facts: RequestFacts, deployment: Deployment) -> int:
    """Tokens. What is not text cannot be counted beforehand: it may fill the whole window."""
    window = deployment.context_length
    if window is not None and facts.modalities - {Modality.TEXT, Modality.EMBEDDING}:
        return window
    counted = facts.input_tokens
    most = counted + counted // _INPUT_SHARE + _INPUT_BESIDE
    # Texts to embed come in any number, each with a window of its own.
    if window is None or Modality.EMBEDDING in facts.modalities:
        return most
    return min(most, window)


def _cost(before: int, each: int, tokens: int) -> int:
    return before + _up(tokens * each)


def _up(numerator: int) -> int:
    return -(-numerator // 10_000_000)


class Cover(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided of a request's money, for its record; amounts in nano-USD.

    `wallet` is whose pays, None where nothing is charged. `worst` is the worst case over the
    candidates on the house's keys, None where there is none; `held` what was set aside for it.
    """

    settings: CreditSettings
    wallet: WalletKind | None = None
    worst: int | None = None
    held: int | None = None


def cover_of(
    settings: CreditSettings,
    facts: RequestFacts,
    candidates: Iterable[tuple[Deployment, Price | None]],
    payer: WalletKind,
) -> Cover | None:
    """What a request of one answer would need: `candidates` are those on the house's keys."""
    if not settings.enforced:
        return None
    bounds = [
        bound_of(facts, 1, deployment, price, settings.markup).worst
        for deployment, price in candidates
        if price is not None
    ]
    return Cover(settings, payer, max(bounds, default=None))
