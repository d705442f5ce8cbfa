"""What an answer came to: its usage read, its cost told, and both put on the books."""

from contextlib import suppress

import msgspec

from domain.errors import ErrorCode, Unavailable
from domain.request import RequestFacts
from domain.usage import TokenUsage, UsageSource, UsageStatus
from gateway.account import Account, Served
from gateway.adapter.openai import read_usage
from gateway.answer import Answer
from gateway.bill import Bill
from gateway.failure import End
from gateway.format import Request
from gateway.meter import Meter, Metered, Said


class Books:
    """Of one request."""

    def __init__(
        self, account: Account, meter: Meter, request: Request, facts: RequestFacts
    ) -> None:
        self._account = account
        self._meter = meter
        self._request = request
        self._size = None if facts.input_estimated else facts.input_tokens

    def _input_tokens(self) -> int:
        """By our count, for estimates."""
        if self._size is None:
            self._size = self._meter.size(self._request)
        return self._size

    def read(self, answer: Answer, said: Said | None = None) -> tuple[Metered, Bill]:
        """What it used and costs; nothing is recorded yet. `said`: of a whole stream."""
        metered = self._meter.read(answer, self._input_tokens, said)
        cost = self._account.cost(answer.served, metered.usage, metered.source)
        charged = self._account.charged(answer.served, metered.usage, metered.source)
        estimated = metered.source is UsageSource.ESTIMATED
        return metered, Bill(metered.usage, estimated, cost, charged)

    def attempted(
        self, answer: Answer, metered: Metered, end: End, reason: str | None = None
    ) -> None:
        """An answer has ended, somehow."""
        self._account.attempted(
            answer.served,
            end,
            http_status=answer.inbound.status,
            usage=metered.usage,
            reason=reason or metered.flaw,
        )

    def close(
        self,
        served: Served,
        metered: Metered,
        status: UsageStatus,
        error: ErrorCode | None = None,
    ) -> None:
        """The outcome. Raises `Unavailable` when it is not on record."""
        usage, source = metered.usage, metered.source
        self._account.close(status, served=served, usage=usage, source=source, error=error)

    def finish(self, answer: Answer, metered: Metered, now: float, *, gone: bool) -> None:
        """A whole answer, whose client may be `gone`. `now` is of the clock that dates it.

        Raises `Unavailable`.
        """
        self.attempted(answer, metered, End.CANCELLED if gone else End.OK)
        status = UsageStatus.CANCELLED if gone else UsageStatus.OK
        self.close(answer.served, metered, status)
        self._meter.observe(answer, metered, now)

    def note(self, served: Served, output_tokens: int, told: bytes | None) -> None:
        """How far it has come; what the disk does not take now, it may at the next time."""
        with suppress(Unavailable):
            self._account.progress(served, self.so_far(output_tokens, told).usage)

    def so_far(self, output_tokens: int, told: bytes | None) -> Metered:
        """Of a stream that is not whole: what was passed on. `told`: the provider's figures by
        now, which say what the prompt came to."""
        known = None if told is None else read_usage(told).usage
        if known is None or not known.input:
            usage = TokenUsage(self._input_tokens(), output=output_tokens)
        else:
            usage = msgspec.structs.replace(known, output=max(known.output, output_tokens))
        return Metered(usage, UsageSource.ESTIMATED)
