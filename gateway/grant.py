"""What a request takes of its caller's rates, and how that is told."""

from collections.abc import Callable, Sequence

from domain.limits import Limited
from domain.rate import Claim, Rate, Verdict
from gateway.asgi import Header


def claims_of(limits: Sequence[Limited], tokens: int) -> list[Claim]:
    """What one request takes of every rate that is limited."""
    claims = []
    for each in limits:
        by_minute, at_once = each.limits.requests_per_minute, each.limits.concurrency
        if by_minute is not None:
            claims.append(Claim(each.id, Rate.REQUESTS, by_minute, 1))
        if each.limits.tokens_per_minute is not None:
            claims.append(Claim(each.id, Rate.TOKENS, each.limits.tokens_per_minute, tokens))
        if at_once is not None:
            claims.append(Claim(each.id, Rate.CONCURRENCY, at_once, 1))
    return claims


class Grant:
    """What one request was granted; `close` it, with the tokens it really used."""

    def __init__(
        self,
        claims: Sequence[Claim],
        verdict: Verdict,
        release: Callable[[Sequence[Claim], int, int | None], None],
    ) -> None:
        self._claims = claims
        self._left = verdict.left
        self._slot = verdict.slot
        self._release = release
        self._closed = False

    def close(self, tokens: int | None = None) -> None:
        """Once; None: as many as were claimed."""
        if not self._closed:
            self._closed = True
            self._release(self._claims, self._slot, tokens)

    @property
    def headers(self) -> list[Header]:
        """OpenAI's words for the limit that is nearest, of requests and of tokens."""
        found: list[Header] = []
        for rate in (Rate.REQUESTS, Rate.TOKENS):
            each = zip(self._left, self._claims, strict=True)
            held = [(left, claim) for left, claim in each if claim.rate is rate]
            if held:
                left, claim = min(held)
                name = rate.lower().encode()
                found.append((b"x-ratelimit-limit-" + name, b"%d" % claim.limit))
                found.append((b"x-ratelimit-remaining-" + name, b"%d" % left))
        return found


def refusal(claim: Claim, wait: float | None) -> str:
    said = {
        Rate.REQUESTS: f"The limit of {claim.limit:,} requests a minute is reached.",
        Rate.TOKENS: f"The limit of {claim.limit:,} tokens a minute leaves no room for"
        f" {claim.amount:,}.",
        Rate.CONCURRENCY: f"{claim.limit:,} requests run already, which is the limit.",
    }[claim.rate]
    return said if wait is not None else f"{said} This request alone exceeds it."
