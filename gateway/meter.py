"""What an answer used: the provider's figure where it can be true, else an estimate."""

from collections.abc import Callable

import msgspec

from domain.health import Observatory
from domain.tokens import TokenCounter
from domain.usage import TokenUsage, UsageSource
from gateway.adapter.openai import Reading, read_usage
from gateway.answer import Answer
from gateway.format import Request
from gateway.openai.words import words
from gateway.stream import Scanner

_NO_READING = Reading(None)

Said = Callable[[], bytes | None]


class Metered(msgspec.Struct, frozen=True):
    """`flaw` is what is odd about the provider's own figure."""

    usage: TokenUsage
    source: UsageSource
    flaw: str | None = None


class Meter:
    def __init__(self, counter: TokenCounter, observatory: Observatory) -> None:
        self._counter = counter
        self._observatory = observatory

    def size(self, request: Request) -> int:
        """Tokens of its input, by our count."""
        return request.size(self._counter).tokens

    def read(
        self, answer: Answer, input_tokens: Callable[[], int], said: Said | None = None
    ) -> Metered:
        """`input_tokens` gives our count, for the estimate; `said` gives what a whole stream says,
        which then is counted as an answer that is not streamed; None: too long for that."""
        scanner = answer.scanner
        raw = answer.usage if scanner is None else scanner.usage
        reading = _NO_READING if raw is None else read_usage(raw)
        known, flaw = reading.usage, reading.flaw
        if known is not None:
            if _covers(known, answer):
                return Metered(known, UsageSource.PROVIDER, flaw)
            if scanner is None or scanner.whole:
                flaw = "usage leaves out what was said"
        spoken = words(answer.body) if scanner is None else None if said is None else said()
        if spoken is not None:
            output = self._counter.count(spoken).tokens
        else:
            output = 0 if scanner is None else scanner.output_estimate
        usage = TokenUsage(input_tokens(), output=output)
        if known is not None and known.input:
            usage = _gone_on(known, output, scanner)
        return Metered(usage, UsageSource.ESTIMATED, flaw)

    def observe(self, answer: Answer, metered: Metered, now: float) -> None:
        """Tell health of a whole answer; odd figures teach nothing about lengths.

        `now` is of the clock that dates the answer.
        """
        served = answer.served
        first = served.first_token
        trusted = metered.source is UsageSource.PROVIDER and metered.flaw is None
        self._observatory.succeeded(
            served.candidate.deployment,
            first_token=None if first is None else first - served.began,
            duration=now - served.began,
            usage=metered.usage if trusted else TokenUsage(),
            credential=served.credential,
        )


def _covers(usage: TokenUsage, answer: Answer) -> bool:
    """Whether figures are of all that was asked and said: some say zero, and some come with
    the first words of a stream alone."""
    if not usage.input:
        return False
    scanner = answer.scanner
    if scanner is None:
        return usage.output > 0 or not words(answer.body)
    if not usage.output:
        return not scanner.events
    return scanner.counted == scanner.events


def _gone_on(known: TokenUsage, output: int, scanner: Scanner | None) -> TokenUsage:
    """The provider's figures, and as much of `output` as came after them."""
    later = output
    if scanner is not None and scanner.events:
        later = output * (scanner.events - scanner.counted) // scanner.events
    return msgspec.structs.replace(known, output=max(known.output + later, output))
