"""One request's upstream call and its answer: what it used is recorded, whoever leaves."""

import asyncio
from contextlib import suppress

import structlog

from domain.errors import FairleadError, ProviderError, Unavailable, let_go
from domain.pricing import dollars
from domain.request import RequestFacts
from domain.snapshot import Capability
from domain.usage import UsageStatus
from gateway.account import Account
from gateway.answer import Answer
from gateway.asgi import Header
from gateway.attempts import Attempts, Upstream
from gateway.books import Books
from gateway.client import Client
from gateway.drain import Drain
from gateway.format import Request, Whole, Writer
from gateway.headers import answered, refused
from gateway.keeping import Keeping
from gateway.meter import Meter
from gateway.relay import Relay
from gateway.stream import Scanner
from gateway.watch import Patience
from gateway.wire import Wire

log = structlog.get_logger(__name__)


class Pump:
    """It writes to the client itself, so a client that reads slowly stops it from reading: what is
    buffered is bounded by the egress. What ends it early is a cancellation, by a client that left
    (`gone`) or a server that stops. An answer that is claimed, because its client may ask for it
    again, is brought to its end without the client.
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
        wire: Wire,
        claim: Keeping | None = None,
    ) -> None:
        self._upstream = upstream
        self._account = account
        self._attempts = attempts
        self._request = request
        self._errors = request.errors
        self._facts = facts
        self._books = Books(account, meter, request, facts)
        self._patience = patience
        self._wire = wire
        self._client = Client(wire, remembers=claim is not None)
        self._claim = claim
        self._loop = upstream.deadlines.loop
        self._task = asyncio.current_task(self._loop)
        self._unseen: asyncio.TimerHandle | None = None

    async def serve(self, drain: Drain) -> None:
        """In the task that made it. Returns when all that was used is recorded."""
        drain.enter(self)
        self._wire.told = self._left
        if self._wire.left:
            self._left()
        try:
            await self._run()
        finally:
            self._wire.told = None
            if self._unseen is not None:
                self._unseen.cancel()
            drain.left(self)

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _left(self) -> None:
        """The client is gone: stop the upstream call, unless it is to be heard to its end."""
        if self._claim is not None:
            return
        self._client.gone = True
        if self._thinks:
            self._unseen = self._loop.call_later(self._patience.unseen, self.stop)
        else:
            self.stop()

    @property
    def _thinks(self) -> bool:
        """Whether who answers is billed for more than can be seen of it."""
        served = self._attempts.current
        if served is None:
            return False
        return Capability.REASONING in served.candidate.deployment.capabilities

    async def _run(self) -> None:
        try:
            answer = await self._attempts.open()
            try:
                if answer.scanner is None or answer.writer is None:
                    await self._deliver(answer)
                else:
                    await self._relay(answer, answer.scanner, answer.writer)
            except BaseException:
                # Nothing more is read of an upstream whose answer is not whole.
                answer.inbound.abort()
                raise
        except asyncio.CancelledError:
            self._cancelled()
            if not self._client.gone:
                await self._refuse(Unavailable("The server is restarting; try again."))
        except FairleadError as error:
            let_go(error)
            await self._refuse(error)
        except Exception as error:
            log.exception("request failed", request_id=str(self._facts.id))
            let_go(error)
            await self._refuse(None)
        finally:
            if self._claim is not None:
                await self._claim.release()

    async def _relay(self, answer: Answer, scanner: Scanner, writer: Writer) -> None:
        relay = Relay(
            self._upstream.observatory,
            self._books,
            self._attempts,
            self._client,
            self._request,
            self._patience,
            self._claim,
            answer,
            scanner,
            writer,
        )
        await relay.run(self._headers(answer))

    async def _deliver(self, answer: Answer) -> None:
        """An answer that came whole: the cost is known before the first byte."""
        metered, bill = self._books.read(answer)
        headers = self._headers(answer)
        if bill.cost is not None:
            headers.append((b"x-fairlead-cost", dollars(bill.cost).encode()))
        deployment = answer.served.candidate.deployment
        whole = Whole(answer.body, answer.usage, answer.native)
        told = self._request.tell(deployment, whole, bill)
        if self._claim is not None:
            await self._claim.keep(headers, told, stream=False)
        self._books.finish(answer, metered, self._loop.time(), gone=self._client.gone)
        self._client.whole(200, told, headers)

    def _headers(self, answer: Answer) -> list[Header]:
        served = answer.served
        ignored = self._request.ignored(served.candidate.deployment)
        headers = answered(self._facts.id, served, self._account.attempts_so_far, ignored)
        headers += self._account.standing
        return headers

    async def _refuse(self, error: FairleadError | None) -> None:
        """Tell the client, in a way that fits how far its answer has come. None: a bug of ours."""
        if not self._account.closed:
            code = None if error is None else error.code
            try:
                self._account.close(UsageStatus.ERROR, error=code)
            except FairleadError as unrecorded:
                log.warning("outcome is not recorded yet", request_id=str(self._facts.id))
                error = error or unrecorded
        if self._claim is not None:
            # First, for whoever is told may ask again at once.
            await self._claim.release()
        if self._client.completed:
            return
        if self._client.started:
            error = error or ProviderError("The answer could not be completed.")
            return await self._client.events(self._errors.event(error))
        shown = (
            self._errors.render(error) if error is not None else self._errors.bug(self._facts.id)
        )
        ours = refused(self._facts.id, self._account.attempts_so_far)
        self._client.whole(shown.status, shown.body, [*ours, *shown.headers])

    def _cancelled(self) -> None:
        """The client left before anything was delivered, if nothing is on the books yet."""
        if not self._account.closed:
            self._attempts.cancelled()
            with suppress(Unavailable):
                self._account.close(UsageStatus.CANCELLED)
