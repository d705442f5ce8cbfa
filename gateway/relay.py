"""Passes a stream on to its client, and never ends one cleanly that is not whole."""

import asyncio

from domain.errors import ProviderError
from domain.health import Failure, Observatory
from domain.usage import UsageStatus
from gateway.answer import Answer
from gateway.asgi import Header
from gateway.books import Books
from gateway.client import Client
from gateway.egress.errors import EgressError
from gateway.egress.inbound import Inbound
from gateway.failure import End
from gateway.format import Errors, Writer
from gateway.meter import Metered
from gateway.repeat import Claim
from gateway.stream import Scanner
from gateway.watch import Patience, Watch

_DRAIN = 1.0
"""Seconds to wait for the end of an upstream's body, so that its connection can be kept."""


class Relay:
    """Of one stream. `deadline` is of the loop's clock."""

    def __init__(
        self,
        observatory: Observatory,
        books: Books,
        client: Client,
        errors: Errors,
        patience: Patience,
        deadline: float,
        claim: Claim | None,
    ) -> None:
        self._observatory = observatory
        self._books = books
        self._client = client
        self._errors = errors
        self._patience = patience
        self._deadline = deadline
        self._claim = claim
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._beating: asyncio.Task[None] | None = None

    async def run(
        self, answer: Answer, scanner: Scanner, writer: Writer, headers: list[Header]
    ) -> None:
        watch = Watch(
            self._patience,
            self._deadline,
            beat=lambda: self._beat(writer.heartbeat),
            end=answer.inbound.abort,
            note=lambda: self._books.note(answer.served, scanner),
            stuck=self._stuck,
        )
        try:
            # It is on record before anybody sees it.
            self._books.note(answer.served, scanner)
            await self._client.begin(headers)
            await self._client.events(writer.write(answer.body))
            flaw = await self._pass_on(answer.inbound, scanner, writer, watch)
        except asyncio.CancelledError:
            metered, _ = self._books.read(answer)
            status = UsageStatus.CUT if self._client.dismissed else UsageStatus.CANCELLED
            self._books.settle(answer, metered, status, End.CANCELLED)
            raise
        finally:
            watch.stop()
            if self._beating is not None:
                self._beating.cancel()
        if flaw is None:
            return await self._finish(answer, scanner, writer, headers)
        answer.inbound.abort()
        await self._cut(answer, flaw)

    async def _pass_on(
        self, inbound: Inbound, scanner: Scanner, writer: Writer, watch: Watch
    ) -> str | None:
        """Events to the end; gives what kept the answer from being whole, if anything."""
        try:
            while not scanner.done and scanner.failure is None:
                watch.waiting = self._loop.time()
                piece = await inbound.next_piece()
                watch.waiting = None
                if not piece:
                    break
                passed = writer.write(scanner.feed(piece))
                if passed:
                    await self._client.events(passed)
        except EgressError:
            return watch.reason or "broke off its answer"
        if scanner.failure is not None:
            return scanner.failure
        return None if scanner.whole else "ended its stream before the answer was whole"

    async def _finish(
        self, answer: Answer, scanner: Scanner, writer: Writer, headers: list[Header]
    ) -> None:
        metered, bill = self._books.read(answer)
        end = writer.finish(scanner, bill)
        if self._claim is not None:
            await self._claim.keep(headers, self._client.remembered(end), stream=True)
        self._books.finish(answer, metered, self._loop.time())
        await self._client.end(end)
        await _drain(answer.inbound)

    async def _cut(self, answer: Answer, flaw: str) -> None:
        """Never a clean end: an error event, and a body that breaks off."""
        metered: Metered = self._books.read(answer)[0]
        deployment = answer.served.candidate.deployment
        slug = deployment.provider.slug
        words = f": {answer.scanner.words}" if answer.scanner and answer.scanner.words else ""
        error = ProviderError(f"`{slug}` {flaw}{words}.", provider=slug, upstream_status=200)
        self._observatory.failed(deployment, Failure.BROKEN_STREAM)
        self._books.settle(answer, metered, UsageStatus.CUT, End.CUT, reason=flaw, error=error.code)
        await self._client.events(self._errors.event(error))

    def _beat(self, heartbeat: bytes) -> None:
        self._beating = self._loop.create_task(self._client.comment(heartbeat))

    def _stuck(self) -> None:
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
