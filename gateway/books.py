"""What an answer came to: its usage read, its cost told, and both put on the books."""

from contextlib import suppress

from domain.errors import ErrorCode, Unavailable
from domain.usage import UsageSource, UsageStatus
from gateway.account import Account, Served
from gateway.answer import Answer
from gateway.bill import Bill
from gateway.failure import End
from gateway.meter import Meter, Metered
from gateway.stream import Scanner


class Books:
    """Of one request. `input_tokens` are our count of its prompt, for estimates."""

    def __init__(self, account: Account, meter: Meter, input_tokens: int) -> None:
        self._account = account
        self._meter = meter
        self._input_tokens = input_tokens

    def read(self, answer: Answer) -> tuple[Metered, Bill]:
        """What it used and costs; nothing is recorded yet."""
        metered = self._meter.read(answer, self._input_tokens)
        cost = self._account.cost(answer.served, metered.usage, metered.source)
        return metered, Bill(metered.usage, metered.source is UsageSource.ESTIMATED, cost)

    def settle(
        self,
        answer: Answer,
        metered: Metered,
        status: UsageStatus,
        end: End,
        *,
        reason: str | None = None,
        error: ErrorCode | None = None,
    ) -> None:
        """The outcome. Raises `Unavailable` when it is not on record."""
        usage, served = metered.usage, answer.served
        self._account.attempted(
            served,
            end,
            http_status=answer.inbound.status,
            usage=usage,
            reason=reason or metered.flaw,
        )
        self._account.close(status, served=served, usage=usage, source=metered.source, error=error)

    def finish(self, answer: Answer, metered: Metered, now: float) -> None:
        """A whole answer. `now` is of the clock that dates it. Raises `Unavailable`."""
        self.settle(answer, metered, UsageStatus.OK, End.OK)
        self._meter.observe(answer, metered, now)

    def note(self, served: Served, scanner: Scanner) -> None:
        """How far it has come; what the disk does not take now, it may at the next time."""
        with suppress(Unavailable):
            self._account.progress(served, self._meter.so_far(scanner, self._input_tokens))
