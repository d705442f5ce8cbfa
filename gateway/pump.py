"""One request's upstream call, detached from its client: what it used is always recorded."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from domain.errors import ErrorCode, FairleadError, ProviderError, Unavailable
from domain.health import Failure
from domain.pricing import dollars
from domain.request import RequestFacts
from domain.usage import UsageSource, UsageStatus
from gateway.account import Account, Served
from gateway.answer import Answer
from gateway.asgi import Header, Receive, Send, respond
from gateway.attempts import Attempts, Upstream
from gateway.bill import Bill
from gateway.drain import Drain
from gateway.egress.errors import EgressError
from gateway.egress.inbound import Inbound
from gateway.failure import End
from gateway.format import Request, Writer
from gateway.headers import answered, refused
from gateway.meter import Meter, Metered
from gateway.stream import Scanner
from gateway.watch import Patience, Watch

_DRAIN = 1.0
"""Seconds to wait for the end of an upstream's body, so that its connection can be kept."""
_STREAM: Sequence[Header] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)

log = structlog.get_logger(__name__)


class Pump:
    """`serve` returns when the client has its answer or is gone.

    The upstream call runs in a task of its own. It writes to the client itself, so a client that
    reads slowly stops it from reading: what is buffered is bounded by the egress.
    """

    def __init__(
        self,
        upstream: Upstream,
        account: Account,
        attempts: Attempts,
        request: Request,
        facts: RequestFacts,
        meter: Meter,
        patience: Patience,
        send: Send,
    ) -> None:
        self._upstream = upstream
        self._account = account
        self._attempts = attempts
        self._request = request
        self._errors = request.errors
        self._facts = facts
        self._meter = meter
        self._patience = patience
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._started = False
        self._completed = False
        self._stopping = False
        self._client: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None

    async def serve(self, receive: Receive, drain: Drain) -> None:
        """`drain` knows the task while it lives, and may end it."""
        self._client = asyncio.current_task()
        task = self._task = self._loop.create_task(self._run())
        drain.enter(task, self._stop)
        try:
            while not self._completed:
                if (await receive())["type"] == "http.disconnect":
                    break
        except asyncio.CancelledError:
            if self._client is not None and task.done():
                # Ours: a body that must not end in order. The server closes the connection.
                self._client.uncancel()
                return
            # The server is stopping, and the client is still there.
            self._stop()
            await self._leave(task)
            raise
        if not self._completed:
            await self._leave(task)

    def _stop(self) -> None:
        self._stopping = True
        if self._task is not None:
            self._task.cancel()

    async def _leave(self, task: asyncio.Task[None]) -> None:
        """The client is gone: stop the upstream call, and wait until its use is recorded."""
        self._client = None
        task.cancel()
        await asyncio.wait((task,))

    async def _run(self) -> None:
        try:
            await self._hand_over(await self._attempts.open())
        except asyncio.CancelledError:
            self._cancelled()
            if self._stopping:
                await self._refuse(Unavailable("The server is restarting; try again."))
        except FairleadError as error:
            await self._refuse(error)
        except Exception:
            log.exception("request failed", request_id=str(self._facts.id))
            await self._refuse(None)
        finally:
            if not self._completed and self._client is not None:
                self._loop.call_soon(self._client.cancel)

    async def _hand_over(self, answer: Answer) -> None:
        """However this ends, nothing more is read of an upstream whose answer is not whole."""
        try:
            if answer.scanner is None or answer.writer is None:
                await self._deliver(answer)
            else:
                await self._stream(answer, answer.scanner, answer.writer)
        except BaseException:
            answer.inbound.abort()
            raise

    async def _deliver(self, answer: Answer) -> None:
        """An answer that came whole: the cost is known before the first byte."""
        metered = self._meter.read(answer, self._facts.input_tokens)
        cost = self._settle(answer, UsageStatus.OK, End.OK, metered)
        self._meter.observe(answer, metered, self._loop.time())
        headers = self._headers(answer)
        if cost is not None:
            headers.append((b"x-fairlead-cost", dollars(cost).encode()))
        deployment, bill = answer.served.candidate.deployment, _bill(metered, cost)
        told = self._request.tell(deployment, answer.body, answer.native, bill)
        self._started = self._completed = True
        await respond(self._send, 200, told, headers)

    def _headers(self, answer: Answer) -> list[Header]:
        served = answer.served
        ignored = self._request.ignored(served.candidate.deployment)
        return answered(self._facts.id, served, self._account.attempts_so_far, ignored)

    async def _stream(self, answer: Answer, scanner: Scanner, writer: Writer) -> None:
        watch = Watch(
            self._patience,
            self._attempts.deadline,
            beat=lambda: self._beat(writer.heartbeat),
            end=answer.inbound.abort,
            note=lambda: self._note(answer.served, scanner),
            stuck=self._stuck,
        )
        try:
            await self._begin(answer, scanner, writer)
            flaw = await self._relay(answer.inbound, scanner, writer, watch)
        except asyncio.CancelledError:
            metered = self._meter.read(answer, self._facts.input_tokens)
            status = UsageStatus.CUT if self._stopping else UsageStatus.CANCELLED
            self._settle(answer, status, End.CANCELLED, metered)
            raise
        finally:
            watch.stop()
            if self._beating is not None:
                self._beating.cancel()
        metered = self._meter.read(answer, self._facts.input_tokens)
        if flaw is not None:
            answer.inbound.abort()
            return await self._cut(answer, metered, flaw)
        cost = self._settle(answer, UsageStatus.OK, End.OK, metered)
        self._meter.observe(answer, metered, self._loop.time())
        end = writer.finish(scanner, _bill(metered, cost))
        self._completed = True
        await self._send({"type": "http.response.body", "body": end, "more_body": False})
        await _drain(answer.inbound)

    async def _begin(self, answer: Answer, scanner: Scanner, writer: Writer) -> None:
        """What came so far; it is on record before anybody sees it."""
        self._started = True
        self._note(answer.served, scanner)
        start = {"type": "http.response.start", "status": 200}
        await self._send(start | {"headers": [*_STREAM, *self._headers(answer)]})
        await self._send_events(writer.write(answer.body))

    async def _relay(
        self, inbound: Inbound, scanner: Scanner, writer: Writer, watch: Watch
    ) -> str | None:
        """Passes events on to the end; gives what kept the answer from being whole, if anything."""
        try:
            while not scanner.done and scanner.failure is None:
                watch.waiting = self._loop.time()
                piece = await inbound.next_piece()
                watch.waiting = None
                if not piece:
                    break
                passed = writer.write(scanner.feed(piece))
                if passed:
                    await self._send_events(passed)
        except EgressError:
            return watch.reason or "broke off its answer"
        if scanner.failure is not None:
            return scanner.failure
        return None if scanner.whole else "ended its stream before the answer was whole"

    async def _cut(self, answer: Answer, metered: Metered, flaw: str) -> None:
        """Never a clean end: an error event, and a body that breaks off."""
        deployment = answer.served.candidate.deployment
        slug = deployment.provider.slug
        words = f": {answer.scanner.words}" if answer.scanner and answer.scanner.words else ""
        error = ProviderError(f"`{slug}` {flaw}{words}.", provider=slug, upstream_status=200)
        self._upstream.observatory.failed(deployment, Failure.BROKEN_STREAM)
        self._settle(answer, UsageStatus.CUT, End.CUT, metered, flaw, error.code)
        await self._send_events(self._errors.event(error))

    async def _send_events(self, events: bytes) -> None:
        await self._send({"type": "http.response.body", "body": events, "more_body": True})

    async def _refuse(self, error: FairleadError | None) -> None:
        """Tell the client, in a way that fits how far its answer has come. None: a bug of ours."""
        if not self._account.closed:
            code = None if error is None else error.code
            try:
                self._account.close(UsageStatus.ERROR, error=code)
            except FairleadError as unrecorded:
                log.warning("outcome is not recorded yet", request_id=str(self._facts.id))
                error = error or unrecorded
        if self._completed:
            return
        if self._started:
            error = error or ProviderError("The answer could not be completed.")
            return await self._send_events(self._errors.event(error))
        self._started = self._completed = True
        shown = (
            self._errors.render(error) if error is not None else self._errors.bug(self._facts.id)
        )
        ours = refused(self._facts.id, self._account.attempts_so_far)
        await respond(self._send, shown.status, shown.body, [*ours, *shown.headers])

    def _cancelled(self) -> None:
        """The client left before anything was delivered, if nothing is on the books yet."""
        if not self._account.closed:
            self._attempts.cancelled()
            with suppress(Unavailable):
                self._account.close(UsageStatus.CANCELLED)

    def _settle(
        self,
        answer: Answer,
        status: UsageStatus,
        end: End,
        metered: Metered,
        reason: str | None = None,
        error: ErrorCode | None = None,
    ) -> int | None:
        usage, served = metered.usage, answer.served
        self._account.attempted(
            served,
            end,
            http_status=answer.inbound.status,
            usage=usage,
            reason=reason or metered.flaw,
        )
        return self._account.close(
            status, served=served, usage=usage, source=metered.source, error=error
        )

    def _note(self, served: Served, scanner: Scanner) -> None:
        """How far it has come; what the disk does not take now, it may at the next time."""
        with suppress(Unavailable):
            self._account.progress(served, self._meter.so_far(scanner, self._facts.input_tokens))

    def _beat(self, heartbeat: bytes) -> None:
        self._beating = self._loop.create_task(self._send_events(heartbeat))

    def _stuck(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _bill(metered: Metered, cost: int | None) -> Bill:
    return Bill(metered.usage, metered.source is UsageSource.ESTIMATED, cost)


async def _drain(inbound: Inbound) -> None:
    """Reads what follows the terminal event; an upstream that does not end is cut off."""
    try:
        async with asyncio.timeout(_DRAIN):
            while await inbound.next_piece():
                pass
    except (TimeoutError, EgressError):
        inbound.abort()
