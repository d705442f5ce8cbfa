"""Passes a stream on to its client, and never ends one cleanly that is not whole."""

import asyncio

from domain.errors import ProviderError
from domain.health import Failure, Observatory
from domain.usage import UsageStatus
from gateway.answer import Answer
from gateway.asgi import Header
from gateway.attempts import Attempts
from gateway.books import Books
from gateway.client import Client
from gateway.continuation import Joiner, Mismatch, under
from gateway.egress.errors import EgressError
from gateway.egress.inbound import Inbound
from gateway.failure import End
from gateway.format import Request, Writer
from gateway.keeping import Keeping
from gateway.meter import Metered
from gateway.stream import Scanner
from gateway.watch import Patience, Watch

_DRAIN = 1.0
"""Seconds to wait for the end of an upstream's body, so that its connection can be kept."""


class Relay:
    """Of one stream, begun by `answer`; where it breaks off, another may go on with it once."""

    def __init__(
        self,
        observatory: Observatory,
        books: Books,
        attempts: Attempts,
        client: Client,
        request: Request,
        patience: Patience,
        claim: Keeping | None,
        answer: Answer,
        scanner: Scanner,
        writer: Writer,
    ) -> None:
        self._observatory = observatory
        self._books = books
        self._attempts = attempts
        self._client = client
        self._request = request
        self._patience = patience
        self._claim = claim
        self._begun, self._scanner, self._writer = answer, scanner, writer
        self._current: Answer | None = answer
        """Whose attempt is not on the books yet."""
        self._joiner: Joiner | None = None
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._beating: asyncio.Task[None] | None = None

    async def run(self, headers: list[Header]) -> None:
        watch = Watch(
            self._patience,
            self._attempts.deadline,
            beat=self._beat,
            end=self._abort,
            note=self._note,
            stuck=self._stuck,
        )
        try:
            # It is on record before anybody sees it.
            self._note()
            await self._client.begin(headers, self._writer.write(self._begun.body))
            flaw = await self._pass_on(self._begun, self._scanner, watch)
            whole = self._begun if flaw is None else await self._gone_on(flaw, watch)
        except asyncio.CancelledError:
            self._abort()
            self._cancelled()
            raise
        finally:
            watch.stop()
            if self._beating is not None:
                self._beating.cancel()
        if whole is None:
            return await self._cut(flaw or "")
        await self._finish(whole, headers)

    async def _pass_on(self, answer: Answer, scanner: Scanner, watch: Watch) -> str | None:
        """Events to the end; gives what kept the answer from being whole, if anything."""
        try:
            while not scanner.done and scanner.failure is None:
                watch.waiting = self._loop.time()
                piece = await answer.inbound.next_piece()
                watch.waiting = None
                if not piece:
                    break
                await self._tell(scanner.feed(piece))
        except EgressError:
            return watch.reason or "broke off its answer"
        if scanner.failure is not None:
            return scanner.failure
        return None if scanner.whole else "ended its stream before the answer was whole"

    async def _tell(self, events: bytes) -> None:
        """Raises `Mismatch`."""
        if self._joiner is not None:
            events = self._joiner.join(events)
        told = self._writer.write(events)
        if told:
            await self._client.events(told)

    async def _gone_on(self, flaw: str, watch: Watch) -> Answer | None:
        """Who brought it to its end in place of the one that broke off, if anybody."""
        self._broken(self._begun, flaw)
        beginning = None if self._request.rest is None else self._writer.beginning()
        if beginning is None:
            return None
        watch.waiting = self._loop.time()
        resumed = await self._attempts.resume(self._begun.served, beginning)
        watch.waiting = None
        if resumed is None or resumed[0].scanner is None:
            return None
        answer, prefilled = resumed
        self._current = answer
        self._joiner = Joiner(beginning, prefilled=prefilled)
        self._writer = self._writer.going_on()
        try:
            await self._tell(answer.body)
            again = await self._pass_on(answer, resumed[0].scanner, watch)
        except Mismatch:
            self._given_up(answer, "does not begin as the answer that broke off")
            return None
        if again is not None:
            self._broken(answer, again)
            return None
        return answer

    def _broken(self, answer: Answer, flaw: str) -> None:
        self._observatory.failed(answer.served.candidate.deployment, Failure.BROKEN_STREAM)
        self._given_up(answer, flaw)

    def _given_up(self, answer: Answer, reason: str) -> None:
        answer.inbound.abort()
        self._books.attempted(answer, self._books.read(answer)[0], End.CUT, reason)
        self._current = None

    async def _finish(self, answer: Answer, headers: list[Header]) -> None:
        # Of an answer that was joined, what the second said is not known apart.
        said = self._writer.said if self._joiner is None else None
        metered, bill = self._books.read(answer, said)
        scanner = answer.scanner or self._scanner
        if self._joiner is not None:
            scanner.last = under(self._joiner.head, scanner.last)
        end = self._writer.finish(scanner, bill)
        if self._claim is not None:
            await self._claim.keep(headers, self._client.remembered(end), stream=True)
        self._books.finish(answer, metered, self._loop.time(), gone=self._client.gone)
        await self._client.end(end)
        await _drain(answer.inbound)

    async def _cut(self, flaw: str) -> None:
        """Never a clean end: an error event, and a body that breaks off."""
        slug = self._begun.served.candidate.deployment.provider.slug
        words = f": {self._scanner.words}" if self._scanner.words else ""
        error = ProviderError(f"`{slug}` {flaw}{words}.", provider=slug, upstream_status=200)
        self._books.close(self._begun.served, self._delivered(), UsageStatus.CUT, error.code)
        await self._client.events(self._request.errors.event(error))

    def _cancelled(self) -> None:
        delivered = self._delivered()
        if self._current is None:
            self._attempts.cancelled()
        else:
            metered, _ = self._books.read(self._current)
            self._books.attempted(self._current, metered, End.CANCELLED)
        status = UsageStatus.CANCELLED if self._client.gone else UsageStatus.CUT
        self._books.close(self._begun.served, delivered, status)

    def _delivered(self) -> Metered:
        """At the price of who began: its own figure, or ours when another has gone on."""
        if self._joiner is None:
            return self._books.read(self._begun)[0]
        return self._books.so_far(self._output, self._scanner.usage)

    @property
    def _output(self) -> int:
        return self._scanner.output_estimate + (self._joiner.tokens if self._joiner else 0)

    def _note(self) -> None:
        self._books.note(self._begun.served, self._output, self._scanner.usage)

    def _beat(self) -> None:
        self._beating = self._loop.create_task(self._client.comment(self._writer.heartbeat))

    def _abort(self) -> None:
        if self._current is not None:
            self._current.inbound.abort()

    def _stuck(self) -> None:
        """Who does not read in time is as good as gone."""
        self._client.gone = True
        if self._task is not None:
            self._task.cancel()


async def _drain(inbound: Inbound) -> None:
    """Reads what follows the terminal event; an upstream that does not end is cut off."""
    try:
        async with asyncio.timeout(_DRAIN):
            while await inbound.next_piece():
                pass
    except (TimeoutError, EgressError):
        inbound.abort()
